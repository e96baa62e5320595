"""The caller gives up while an accept is in flight, at random moments: wire, store and agent always tell one story."""

import random

import pytest
from sqlalchemy import select

from aircall_core.desk.errors import DeskError
from aircall_core.store import tables as t
from tests.sip.kit import NUMBER, RATE, Agent, Caller, Site
from tests.support.audio import tone
from tests.support.processes import eventually

pytestmark = pytest.mark.sip
SOUND = tone(660, 1, RATE)


@pytest.mark.parametrize("count", [25, pytest.param(200, marks=pytest.mark.soak)])
def test_cancel_against_accept(site: Site, count: int) -> None:
    moments = random.Random(7)
    seen: set[str] = set()
    with Caller("127.0.0.1", site.port) as caller:
        for _ in range(count):
            caller.invite(NUMBER)
            caller.wait_for(180)
            call = site.arrived()
            with Agent(site, call, "Ada", SOUND) as agent:
                eventually(lambda: "ok" in agent.said[0], what="the link")
                cancel_first = moments.random() < 0.3
                pause = moments.uniform(0, 0.03)
                if cancel_first:
                    caller.cancel()
                    caller.pump(pause / 10)
                command = accept(site, call, agent.peer)
                if not cancel_first:
                    caller.pump(pause)
                    if any(message.status == 200 for message in caller.received()):
                        caller.bye()  # too late to cancel
                    else:
                        caller.cancel()
                final = caller.wait_final()
                site.wait("call.ended")
            seen.add(check(site, call, command, final.status))
        assert not live(site)
    assert seen == {"abandoned", "answered"}, "the moments missed a case"


def accept(site: Site, call: str, peer: str) -> str:
    """The command, or '' when the store knew already that the caller has gone."""
    try:
        return site.accept(call, "Ada", peer)
    except DeskError as refusal:
        if refusal.code != "over":
            raise
        return ""


def check(site: Site, call: str, command: str, status: int) -> str:
    """The call's story on the wire and in the store; they must be the same one."""
    row = site.call(call)
    kinds = [event.kind for event in site.events(call)]
    if status == 200:  # the answer was quicker; Caller has acknowledged it and hung up
        assert (row["outcome"], row["answered_by"]) == ("answered", site.users["Ada"])
        assert "call.answered" in kinds
    else:
        assert (status, row["outcome"], row["answered_at"]) == (487, "abandoned", None)
        assert "call.answered" not in kinds
    if command:
        ends = ("call.answered", "call.accept_failed", "command.failed")
        answers = eventually(
            lambda: [one for one in site.events(call) if one.kind in ends and one.event.data["command"] == command],
            what=f"the command's end; {kinds}",
        )
        assert len(answers) == 1
    with site.store.read() as conn:
        assert conn.scalar(select(t.users.c.active_call_id).where(t.users.c.id == site.users["Ada"])) is None
    return str(row["outcome"])


def live(site: Site) -> list[str]:
    """Calls that have no end."""
    with site.store.read() as conn:
        return list(conn.scalars(select(t.calls.c.id).where(t.calls.c.ended_at.is_(None))))
