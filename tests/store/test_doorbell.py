"""The watcher behind the followers: one at a time, whenever followers come and go."""

import threading
from contextlib import ExitStack
from typing import Any

import pytest

from aircall_core.store.doorbell import Doorbell

STOP = threading.Event()


class Connection:
    """A source that knows who opened it and has not let go."""

    def __init__(self) -> None:
        self.holders: list[int] = []
        self.most = 0
        self.opened = threading.Semaphore(0)

    def open(self) -> None:
        self.holders.append(threading.get_ident())
        self.most = max(self.most, len(self.holders))
        self.opened.release()

    def heard(self, closing: threading.Event) -> bool:
        closing.wait(0.001)
        return False

    def close(self) -> None:
        self.holders.clear()


def test_a_follower_that_comes_as_the_last_one_goes_has_the_one_watcher(monkeypatch: pytest.MonkeyPatch) -> None:
    source = Connection()
    bell = Doorbell(source)
    look = bell._wanted
    second = ExitStack()
    came = threading.Event()

    def wanted(*given: Any) -> bool:
        more = look(*given)
        if not more and not came.is_set():  # between the last look of the old watcher and its end
            second.enter_context(bell.listening(STOP))
            source.opened.acquire()
            came.set()
        return more

    monkeypatch.setattr(bell, "_wanted", wanted)
    with bell.listening(STOP):
        source.opened.acquire()
        old = next(thread for thread in threading.enumerate() if thread.name == "doorbell")
    assert came.wait(10)
    old.join(10)
    assert not old.is_alive()
    assert source.most == 1
    second.close()
    bell.close()
    assert source.holders == []
