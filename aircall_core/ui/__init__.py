"""Pieces of the console: components, text, the gate before the pages, and the client of the desk process."""
