"""What a CRM that hangs costs the ring: INVITE to 180 on the wire, and to the ringing frame at a tab, with one and
without, in turn. Every call comes from another number, so that the source is asked about each.
"""

import time
from dataclasses import dataclass, field
from pathlib import Path

from aircall_core.desk import insight_sources
from aircall_core.desk.secrets import open_box
from bench.report import Row, spread
from tests.support.crm import Reply, StandIn
from tests.support.desk_system import System
from tests.support.rawsip import RawCaller
from tests.support.realtime import Tab

NUMBER = "+33199000001"
IN_A_ROW = 10


@dataclass
class Times:
    """Milliseconds, one entry a call."""

    wire: list[float] = field(default_factory=list)
    tab: list[float] = field(default_factory=list)


def ring_once(system: System, tab: Tab, number: int) -> tuple[float, float]:
    """One call that rings and is cancelled."""
    seen = len(tab.frames)
    with RawCaller("127.0.0.1", system.settings.sip_port) as caller:
        caller.caller = f"+336{number:08}"
        sent = caller.invite(NUMBER)
        ringing = caller.wait_for(180)
        frame = tab.wait_until(
            lambda: next((f for f in tab.frames[seen:] if f.get("kind") == "call.ringing"), None), "call.ringing"
        )
        caller.cancel()
        caller.wait_for(487)
    tab.wait_for("call.ended", call_id=frame["call_id"])
    return (ringing.at - sent.at) * 1000, (frame["got_at"] - time.monotonic() + time.time() - sent.at) * 1000


def measure(folder: Path, *, full: bool) -> list[Row]:
    """Two rows, the peer of each being the same calls while no source is asked."""
    found = {True: Times(), False: Times()}
    with System(folder) as system, StandIn(Reply(hang=True)) as crm:
        user = system.add_user("Ada")
        system.add_line(NUMBER, [user])
        tab = system.on_duty(user)
        box = open_box(system.settings.data_dir)
        settings = {"address": f"{crm.address}/?n={{{{number}}}}", "private": True}
        with system.store.write() as tx:
            source = insight_sources.create(
                tx, "system", box, name="Slow", kind="http", enabled=False, settings=settings
            )
        for block in range((50 if full else 10) * 2):
            asked = bool(block % 2)
            with system.store.write() as tx:
                insight_sources.change(tx, "system", box, source, enabled=asked)
            for number in range(IN_A_ROW):
                wire, frame = ring_once(system, tab, block * IN_A_ROW + number)
                if block >= 2:  # the first calls fill caches
                    found[asked].wire.append(wire)
                    found[asked].tab.append(frame)
        tab.close()
        questions = len(crm.asked)
    assert questions >= len(found[True].wire), f"asked {questions} times only"
    note = f"{questions} questions of 2 s each were under way"
    return [
        Row(
            "INVITE to 180, a source hangs",
            "ms",
            spread(found[True].wire),
            {},
            spread(found[False].wire),
            "no source",
            note,
        ),
        Row(
            "INVITE to call.ringing, a source hangs",
            "ms",
            spread(found[True].tab),
            {},
            spread(found[False].tab),
            "no source",
        ),
    ]
