"""A browser tab in Python: the realtime WebSocket with its beats, its cursor and the view folded from what it got.

with Tab(desk, user.cookie, armed=True) as tab:
    ringing = tab.wait_for("call.ringing", user_id=user.id)
    assert ringing["call_id"] in tab.view["calls"]
"""

import json
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self, TypeVar

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from aircall_core.domain import view as views
from aircall_core.domain.events import Event
from aircall_core.ids import new_id

Frame = dict[str, Any]
T = TypeVar("T")
BEAT_S = 5.0


class Tab:
    """One tab of one signed-in user. Frames are read by a thread; `frames` keeps all, with `got_at` (monotonic, s)."""

    def __init__(
        self, desk_url: str, cookie: tuple[str, str], *, origin: str, after: int = 0, tab: str = "", browser: str = "",
        armed: bool = True, timeout: float = 10,
    ) -> None:  # fmt: skip
        self.id, self.browser = tab or new_id(), browser or new_id()
        self.state: dict[str, object] = {
            "armed": armed, "visible": True, "mic": "ok" if armed else "unknown", "sound": "ok",
            "notifications": "granted",
        }  # fmt: skip
        self.frames: list[Frame] = []
        self.view: views.View = {}
        self.cards: dict[str, Any] = {}
        self.seq = after
        self.closed: tuple[int, str] | None = None
        self._changed = threading.Condition()
        address = desk_url.replace("http", "ws", 1)
        connecting = connect(
            f"{address}/realtime?after={after}&tab={self.id}&browser={self.browser}",
            additional_headers={"Cookie": f"{cookie[0]}={cookie[1]}"},
            origin=Origin(origin),
            open_timeout=timeout,
            proxy=None,
            max_size=None,
            compression=None,
        )
        self._open = ExitStack()
        self._socket: ClientConnection = self._open.enter_context(connecting)
        self._over = threading.Event()
        self._threads = [threading.Thread(target=run, daemon=True) for run in (self._read, self._beat)]
        for thread in self._threads:
            thread.start()

    # ---- what the tab does

    def beat(self, **changes: object) -> None:
        """Say how the tab is, with these changes (armed, visible, mic ...)."""
        self.state.update(changes)
        self._socket.send(json.dumps({"t": "beat", **self.state}))

    def sleep(self) -> None:
        """The machine falls asleep: the socket stays open and the tab says nothing more by itself."""
        self._over.set()
        self._threads[1].join(BEAT_S + 1)

    def close(self) -> None:
        """Close the tab as a browser does."""
        self._over.set()
        self._open.close()
        for thread in self._threads:
            thread.join(5)

    def drop(self) -> None:
        """Lose the network: the TCP connection ends without a closing frame."""
        self._over.set()
        self._socket.socket.close()

    # ---- what it got

    def events(self, kind: str = "", **wanted: object) -> list[Frame]:
        """The events so far of this kind whose members (or data) have these values."""
        with self._changed:
            return [frame for frame in self.frames if _matches(frame, kind, wanted)]

    def wait_for(self, kind: str, timeout: float = 10, **wanted: object) -> Frame:
        """The first event, come or yet to come, of this kind with these values; AssertionError when it stays out."""
        return self.wait_until(
            lambda: next((frame for frame in self.frames if _matches(frame, kind, wanted)), None),
            f"{kind} {wanted}", timeout,
        )  # fmt: skip

    def wait_frame(self, name: str, timeout: float = 10) -> Frame:
        """The first frame with this `t`: snapshot, caught_up, aloud, gone ..."""
        return self.wait_until(lambda: next((f for f in self.frames if f["t"] == name), None), name, timeout)

    def wait_until(self, probe: Callable[[], T | None], what: str = "", timeout: float = 10) -> T:
        """The first true result of `probe`, asked after each frame."""
        until = time.monotonic() + timeout
        with self._changed:
            while True:
                if result := probe():
                    return result
                left = until - time.monotonic()
                if left <= 0 or (self.closed and not self._changed.wait(0.05)):
                    kinds = [frame.get("kind", frame["t"]) for frame in self.frames]
                    raise AssertionError(f"no {what} within {timeout} s (closed: {self.closed}); came: {kinds[-40:]}")
                self._changed.wait(left)

    # ---- threads

    def _read(self) -> None:
        try:
            for text in self._socket:
                frame = {**json.loads(text), "got_at": time.monotonic()}
                with self._changed:
                    self._apply(frame)
                    self.frames.append(frame)
                    self._changed.notify_all()
        except ConnectionClosed:
            pass  # told below, as any other end
        except OSError:
            if not self._over.is_set():
                raise
        with self._changed:
            close = self._socket.close_code
            self.closed = (close or 1006, self._socket.close_reason or "")
            self._changed.notify_all()

    def _apply(self, frame: Frame) -> None:
        if frame["t"] == "snapshot":
            self.view, self.cards, self.seq = frame["view"], dict(frame["cards"]), frame["seq"]
        elif frame["t"] == "caught_up":
            self.seq = max(self.seq, frame["seq"])
        elif frame["t"] == "event":
            self.seq = frame["seq"]
            if card := frame.get("card"):
                self.cards[frame["call_id"]] = card
            if self.view:
                self.view = views.apply(self.view, event_of(frame))

    def _beat(self) -> None:
        try:
            self.beat()
            while not self._over.wait(BEAT_S):
                self.beat()
        except (ConnectionClosed, OSError):
            return  # _read tells it

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _matches(frame: Frame, kind: str, wanted: dict[str, object]) -> bool:
    if frame["t"] != "event" or (kind and frame["kind"] != kind):
        return False
    return all(frame.get(name, frame["data"].get(name)) == value for name, value in wanted.items())


def event_of(frame: Frame) -> Event:
    """The domain's event in a frame (its audience is not told to browsers)."""
    return Event(
        kind=frame["kind"], audience="", actor=frame["actor"], call_id=frame["call_id"], line_id=frame["line_id"],
        conversation_id=frame["conversation_id"], user_id=frame["user_id"], data=frame["data"],
    )  # fmt: skip
