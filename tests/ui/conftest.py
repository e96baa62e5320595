"""Starlette's test client warns, at its import, that it would rather use httpx2; this project uses httpx."""

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    warnings.filterwarnings("ignore", message="Using `httpx` with")
    import starlette.testclient  # noqa: F401
