"""The editor of a line's call flow: a tree of steps, a form for the chosen one, a picture, and old versions."""
