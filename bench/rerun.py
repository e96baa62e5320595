"""A rerun of a page as Streamlit's own client sees it: the message that asks for it, to the message that ends it."""

import time

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from tests.support.desk_system import System, User


def reruns(system: System, user: User, count: int) -> tuple[list[float], list[float]]:
    """Milliseconds of `count` reruns of the home page's fragment, and of as many whole reruns."""
    address = system.console_url.replace("http", "ws", 1) + "/_stcore/stream"
    with connect(
        address,
        origin=Origin(system.console_url),
        subprotocols=[Subprotocol("streamlit")],
        additional_headers={"Cookie": f"{user.cookie[0]}={user.cookie[1]}"},
        proxy=None,
        max_size=None,
    ) as socket:
        fragments: list[str] = []
        for _ in range(3):
            _rerun(socket, "", fragments)
        whole = [_rerun(socket, "", fragments) for _ in range(count)]
        assert fragments, "the page has no fragment"
        part = [_rerun(socket, fragments[-1], []) for _ in range(count)]
    return part, whole


def _rerun(socket: ClientConnection, fragment: str, fragments: list[str]) -> float:
    """One rerun; ids of the fragments that it drew are added to `fragments`."""
    message = BackMsg()
    message.rerun_script.query_string = ""
    if fragment:
        message.rerun_script.fragment_id = fragment
    begun = time.perf_counter()
    socket.send(message.SerializeToString())
    while True:
        answer = ForwardMsg()
        answer.ParseFromString(socket.recv(timeout=30, decode=False))
        if answer.HasField("delta") and answer.delta.fragment_id:
            fragments.append(answer.delta.fragment_id)
        if answer.HasField("script_finished"):
            return (time.perf_counter() - begun) * 1000
