"""The desk process: every command, sign-in, realtime push, signalling and health check of the console, over HTTP."""
