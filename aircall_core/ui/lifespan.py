"""The console's start and end."""

import asyncio
import gc
import importlib
import socket
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
    send_at_once(asyncio.get_running_loop())
    async with backend_for_console(get_settings()):
        # Components with data need pyarrow and pandas: loaded now, not in the first user's first run.
        for name in ("pandas", "pyarrow"):
            importlib.import_module(name)
        gc.collect()
        gc.freeze()
        yield {}
        data.close()


def send_at_once(loop: asyncio.AbstractEventLoop) -> None:
    """Have the sockets that are served from here on send without waiting for the acknowledgement of what went before.

    asyncio does so itself, but not for a listening socket made without naming TCP, as Streamlit's is: each rerun then
    waited 40 ms for the browser's delayed acknowledgement (Kludex/uvicorn#3149). Connections inherit the listener's.
    """
    create_server = loop.create_server

    async def create(*args: Any, sock: socket.socket | None = None, **kwargs: Any) -> Any:
        if sock is not None and sock.family in (socket.AF_INET, socket.AF_INET6):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return await create_server(*args, sock=sock, **kwargs)

    loop.create_server = create  # type: ignore[method-assign]
