"""The gateway killed in a call, and the agent's path frozen: what the caller hears, and how soon the agent is back."""

import os
import signal
import time
from pathlib import Path

from bench.live_call import LiveCall, live_call
from bench.report import Row, spread

PATIENCE_S = 12.0


def outage(call: LiveCall, begin: float, path_back: float | None) -> tuple[float, float, float]:
    """Seconds: from the outage to music, from the outage to the agent's voice, from the path's return to it."""
    until = call.pump(PATIENCE_S)
    music = call.first(begin, until, agent=False)
    assert music is not None, "no music was heard"
    agent = call.first(begin + music, until, agent=True)
    assert agent is not None, "the agent did not come back"
    back = begin + music + agent
    return music, back - begin, back - (path_back or begin)


def kill_once(call: LiveCall) -> tuple[float, float, float]:
    """kill -9 of the gateway; the supervisor starts another."""
    seen = call.system.store.last_seq()
    call.system.kill("gateway")
    begin = time.time()
    started = call.system.wait_for("node.started", timeout=30, after=seen, node_kind="gateway")
    return outage(call, begin, started.at / 1000)


def freeze_once(call: LiveCall, seconds: float) -> tuple[float, float, float]:
    """The gateway stands still for a while, as a network that passes nothing."""
    pid = call.system.pid("gateway")
    begin = time.time()
    os.kill(pid, signal.SIGSTOP)
    back = call.pump(seconds)
    os.kill(pid, signal.SIGCONT)
    return outage(call, begin, back)


def measure(folder: Path, *, full: bool) -> list[Row]:
    """Rows for both kinds of outage."""
    count = 10 if full else 3
    with live_call(folder) as call:
        kills = [kill_once(call) for _ in range(count)]
        freezes = [freeze_once(call, 2.0) for _ in range(count)]
    rows = []
    for what, times in (("gateway killed", kills), ("agent's path frozen for 2 s", freezes)):
        music, agent, after = zip(*times, strict=True)
        rows += [
            Row(f"{what}: until the caller hears music", "s", spread(music), {"p95": 1.0}),
            Row(f"{what}: until the caller hears the agent again", "s", spread(agent)),
            Row(f"{what}: agent back after the path is", "s", spread(after), {"p95": 3.0}),
        ]
    return rows
