"""The console's start and end."""

import gc
import importlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import streamlit as st

from aircall_core.backend import backend_for_console
from aircall_core.config import get_settings
from aircall_core.ui import data


@asynccontextmanager
async def lifespan(_app: "st.App") -> AsyncIterator[dict[str, Any]]:
    """Find or start the backend, then take everything that lives for ever out of the collector's way."""
    async with backend_for_console(get_settings()):
        # Components with data need pyarrow and pandas: loaded now, not in the first user's first run.
        for name in ("pandas", "pyarrow"):
            importlib.import_module(name)
        gc.collect()
        gc.freeze()
        yield {}
        data.close()
