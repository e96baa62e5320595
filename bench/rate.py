"""How much one worker carries: calls set up and hung up per second with every event written, calls with media at once,
and that it refuses what is beyond its capacity.

Callers are SIPp, agents a process of their own (bench/crowd.py); all share the machine with the worker, whose own
use of a core is given beside.
"""

import contextlib
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]

from bench.crowd import Seat, seats
from bench.installation import WorkerSystem, worker_only
from bench.report import Row
from tests.support.audio import tone
from tests.support.rawsip import RawCaller
from tests.support.sipp import Sipp

RATES, AT_ONCE = (25, 50, 75, 105, 125, 150, 175), (50, 100, 150, 190)


@contextlib.contextmanager
def crowd(system: WorkerSystem) -> Iterator[list[dict[str, Any]]]:
    """The agents' process; its figures are in the list when it is over."""
    command = [sys.executable, "-m", "bench.crowd", system.settings.database_url, str(system.settings.worker_socket())]
    figures: list[dict[str, Any]] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield figures
        finally:
            process.send_signal(signal.SIGTERM)
            figures.append(json.loads(process.stdout.readline() or "{}"))


def load(system: WorkerSystem, folder: Path, lines: Sequence[Seat], *, calls: int, rate: float, hold_ms: int,
         media: bool) -> dict[str, float]:  # fmt: skip
    """One run of SIPp against the crowd: successes, failures, the worker's core, frames per second at the agents."""
    assert system.backend is not None
    worker = psutil.Process(system.backend.pid)
    name = f"sipp-{rate:g}-{calls}"
    with crowd(system) as told:
        before, cpu = system.store.last_seq(), worker.cpu_times()
        with Sipp(
            "call", f"127.0.0.1:{system.settings.sip_port}", folder, numbers=[seat.number for seat in lines], name=name,
            calls=calls, rate=rate, at_once=max(calls, 1) if media else len(lines), hold_ms=hold_ms, timeout=240,
            audio=tone(440, 1, 8000) if media else None,
        ) as sipp:  # fmt: skip
            result = sipp.result()
        after = worker.cpu_times()
        ended = written(system, before, result.successful)
    rates, accepts = told[0]["frame_rates"], sorted(told[0]["accept_ms"])
    return {
        "successful": result.successful, "failed": result.failed, "rate": round(result.rate, 1),
        "retransmissions": result.retransmissions,
        "answered_in_the_log": ended, "worker_cpu_s": round(sum(after[:2]) - sum(cpu[:2]), 2),
        "accept_transaction_p95_ms": accepts[int(len(accepts) * 0.95)] if accepts else 0.0,
        "slowest_frames_per_s": round(min(rates), 2) if rates else 0.0,
    }  # fmt: skip


def written(system: WorkerSystem, after: int, wanted: int) -> int:
    """Calls that the log says were answered and ended, once no more are being written."""
    counts = [-1, 0]
    settled = threading.Event()
    while counts[-1] != counts[-2] and counts[-1] < wanted:
        settled.wait(1.0)
        counts.append(len(system.events("call.ended", after=after, outcome="answered")))
    return counts[-1]


def set_up_rate(system: WorkerSystem, folder: Path, lines: Sequence[Seat], *, full: bool) -> Row:
    """The highest rate of our steps at which every call succeeds, and SIPp was not held back by calls that last."""
    steps: dict[str, dict[str, float]] = {}
    best = 0.0
    for rate in RATES:
        figures = load(system, folder, lines, calls=rate * (30 if full else 6), rate=rate, hold_ms=0, media=False)
        steps[str(rate)] = figures
        print(f"    {rate} calls/s: {figures}", flush=True)
        if figures["failed"] or figures["answered_in_the_log"] != figures["successful"] or figures["rate"] < rate * 0.9:
            break
        best = figures["rate"]
    return Row(
        "calls set up, answered and hung up per second without a failure", "calls/s", {"rate": best}, {"min_rate": 100},
        note=json.dumps(steps),
    )  # fmt: skip


def at_once(system: WorkerSystem, folder: Path, lines: Sequence[Seat], *, full: bool) -> Row:
    """The most calls with audio both ways of our steps; each agent must get its 50 frames a second."""
    steps: dict[str, dict[str, float]] = {}
    best = 0.0
    for count in AT_ONCE:
        figures = load(system, folder, lines, calls=count, rate=25, hold_ms=60_000 if full else 15_000, media=True)
        steps[str(count)] = figures
        print(f"    {count} calls at once: {figures}", flush=True)
        if figures["failed"] or figures["slowest_frames_per_s"] < 49.0:
            break
        best = float(count)
    return Row(
        "calls with media at once", "calls", {"calls": best}, {"min_calls": 150}, note=json.dumps(steps)
    )  # fmt: skip


def beyond(system: WorkerSystem, lines: Sequence[Seat], capacity: int) -> Row:
    """More ringing calls than slots: the rest gets 503, and the worker takes calls when slots are free again."""
    with contextlib.ExitStack() as stack:
        callers = [
            stack.enter_context(RawCaller("127.0.0.1", system.settings.sip_port, caller=f"+3319900{number:04}"))
            for number in range(capacity + 20)
        ]
        refused = 0
        for number, caller in enumerate(callers):
            caller.invite(lines[number % len(lines)].number)
            caller.wait_for(503 if number >= capacity else 180)
            refused += number >= capacity
        for caller in callers[:capacity]:  # one after another: a datagram lost in a burst would be sent by nobody again
            caller.cancel()
            caller.wait_for(487)
        callers[0].invite(lines[0].number)
        callers[0].wait_for(180)
        callers[0].cancel()
        callers[0].wait_for(487)
    return Row(f"refused with 503 beyond {capacity} calls, then takes calls again", "calls", {"refused": refused},
               {"min_refused": 20})  # fmt: skip


def measure(folder: Path, *, full: bool) -> list[Row]:
    """Three rows."""
    with worker_only(folder, rtp_ports="20000-21999") as system:
        lines = seats(system.store, max(AT_ONCE))
        with system.store.read() as conn:
            capacity = int(conn.exec_driver_sql("SELECT capacity FROM nodes WHERE kind = 'worker'").scalar_one())
        system.lines_known(lines[-1].number)
        rows = [set_up_rate(system, folder, lines[:120], full=full)]
        rows.append(at_once(system, folder, lines, full=full))
        rows.append(beyond(system, lines, capacity))
    return rows
