"""The console's start: what is served, is sent at once."""

import asyncio
import socket

from aircall_core.ui.lifespan import send_at_once


async def answering_socket_sends_at_once(family: socket.AddressFamily, host: str) -> int:
    """TCP_NODELAY of an accepted connection, when the listening socket was made without naming TCP."""
    loop = asyncio.get_running_loop()
    send_at_once(loop)
    listening = socket.socket(family)
    listening.bind((host, 0))
    accepted: asyncio.Future[int] = loop.create_future()

    def note(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted.set_result(writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    async with await asyncio.start_server(note, sock=listening):
        _, writer = await asyncio.open_connection(host, listening.getsockname()[1])
        found = await accepted
        writer.close()
    return found


def test_connections_of_a_socket_that_streamlit_makes_send_at_once() -> None:
    assert asyncio.run(answering_socket_sends_at_once(socket.AF_INET, "127.0.0.1")) == 1
