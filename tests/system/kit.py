"""What the tests of the whole installation share: calls by name, figures of processes, log lines."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.audio import tone
from tests.support.desk_system import Line, System, User
from tests.support.pcm_peer import PcmPeer
from tests.support.peers import TestPhone
from tests.support.processes import eventually
from tests.support.realtime import Tab

CALLER_HZ, AGENT_HZ = 440.0, 700.0


@dataclass
class Talk:
    """An answered call: both its ends."""

    id: str
    phone: TestPhone
    agent: PcmPeer


def next_ring(tab: Tab, user: User, known: set[str], timeout: float = 20) -> str:
    """The id of the next call, none of `known`, that rings for this user now; added to `known`."""
    call_id: str = tab.wait_until(
        lambda: next(
            (call for call, seen in tab.view["calls"].items() if user.id in seen["ringing"] and call not in known), None
        ),
        "the next call",
        timeout,
    )
    known.add(call_id)
    return call_id


def begin_talk(
    system: System, line: Line, user: User, tab: Tab, known: set[str], *, worker: int = 0, **phone: Any
) -> Talk:
    """A call from the test phone that this user answers; both sides send a tone."""
    caller = system.phone_call(line, audio=tone(CALLER_HZ, 1, 8000), worker=worker, **phone)
    call_id = next_ring(tab, user, known)
    agent = system.accept(user, tab, call_id, voice=tone(AGENT_HZ, 1, 8000), worker=worker)
    caller.wait_for("answered")
    tab.wait_for("call.confirmed", call_id=call_id)
    return Talk(call_id, caller, agent)


def log_lines(text: str, event: str = "") -> list[dict[str, Any]]:
    """The JSON lines of a log, those of one event."""
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    return [line for line in lines if not event or line["event"] == event]


def rss_mb(pid: int) -> float:
    """Memory of a process that is in RAM now, MB."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"^VmRSS:\s+(\d+) kB", status, re.MULTILINE)
    assert found, status
    return int(found[1]) / 1024


def open_files(pid: int) -> int:
    """How many file descriptors a process holds."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def worker_row(system: System, index: int = 0) -> dict[str, Any]:
    """What /readyz says of a worker, once it serves: from then on its row has counts."""

    def row() -> dict[str, Any]:
        nodes = system.http.get("/readyz").json()["nodes"]
        seen: dict[str, Any] = next((node for node in nodes if node["id"].startswith(f"worker-{index}@")), {})
        return seen if seen.get("serving") else {}

    return eventually(row, 30, "a worker that serves")
