"""The house of the tests of actions in the call: users with audio of their own, callers who can be listened to.

talk = house.talk()                      # Ada has a caller; both hum their tones
house.command(talk.agent, f"/desk/calls/{talk.id}/hold", held=True)
talk.floor.wait(caller=MUSIC, ada=set())
house.at_rest()                          # nothing is left of any call
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Self

from aircall_core.desk import lines, trunks
from aircall_core.desk.secrets import open_box
from aircall_core.ids import new_id
from tests.support.audio import Samples, tone
from tests.support.desk_system import Line, System, User
from tests.support.floor import Floor, LiveCaller, Voice
from tests.support.pcm_peer import PcmPeer
from tests.support.processes import eventually
from tests.support.realtime import Tab
from tests.system.kit import worker_row

CALLER_HZ = 440.0


@dataclass
class Agent:
    """A user at their desk: a tab, a tone, and the audio of each of their calls."""

    system: System
    user: User
    hz: float
    tab: Tab
    peers: dict[str, PcmPeer] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """The user's."""
        return self.user.id

    @property
    def voice(self) -> Voice:
        """For the floor: what they hear with the audio they have opened last."""
        return Voice(self.user.name.lower(), self.hz, lambda last_s: list(self.peers.values())[-1].heard(last_s))

    def rung(self, call_id: str = "", timeout: float = 10) -> str:
        """The id of a call (of this one) that rings for them now."""

        def look() -> str | None:
            calls = self.tab.view["calls"].items()
            return next((one for one, seen in calls if self.id in seen["ringing"] and call_id in ("", one)), None)

        return self.tab.wait_until(look, f"a ring for {self.user.name}", timeout)

    def accept(self, call_id: str = "", *, voice: Samples | None = None) -> PcmPeer:
        """Takes the call that rings, with a tone as microphone, or this (8 kHz, again and again)."""
        ringing = self.rung(call_id)
        sound = tone(self.hz, 1, 8000) if voice is None else voice
        peer = self.system.accept(self.user, self.tab, ringing, voice=sound)
        self.peers[ringing] = peer
        self.tab.wait_until(lambda: self.tab.view["calls"].get(ringing, {}).get("state") in ("answered", "confirmed"))
        return peer

    def reject(self, call_id: str = "") -> None:
        """Turns the call down that rings."""
        self.do(f"/desk/calls/{self.rung(call_id)}/reject")

    def dial(self, line: Line, number: str, **more: Any) -> str:
        """Calls a number with a tone as microphone: the call."""
        peer = new_id()
        call_id = str(self.do("/desk/dial", line=line.id, number=number, peer=peer, tab=self.tab.id, **more)["call"])

        def link() -> PcmPeer | None:
            with suppress(ConnectionRefusedError):  # the worker has not heard of the call yet
                worker = self.system.settings.worker_socket(0)
                return PcmPeer(worker, peer=peer, call=call_id, user=self.id, voice=tone(self.hz, 1, 8000))
            return None

        found = eventually(link, 5, "the worker to want audio")
        assert found is not None
        self.peers[call_id] = found
        return call_id

    def do(self, path: str, **body: Any) -> dict[str, Any]:
        """A command that is accepted: its answer."""
        reply = self.system.post(self.user, path, {"command": new_id(), **body})
        assert reply.status_code == 202, (path, body, reply.text)
        answer: dict[str, Any] = reply.json()
        return answer

    def refused(self, path: str, **body: Any) -> str:
        """A command that is refused at once: the error's code."""
        reply = self.system.post(self.user, path, {"command": new_id(), **body})
        assert 400 <= reply.status_code < 500, (path, body, reply.status_code, reply.text)
        return str(reply.json()["error"]["code"])

    def free(self) -> None:
        """Waits until they are in no call."""
        self.tab.wait_until(lambda: not self.tab.view["calls"], f"{self.user.name} without calls")

    def put_down(self) -> None:
        """Closes the audio of all their calls."""
        for peer in self.peers.values():
            peer.close()
        self.peers.clear()


@dataclass
class Talk:
    """A call that an agent has."""

    id: str
    caller: LiveCaller
    agent: Agent
    floor: Floor


@dataclass
class House:
    """One installation, its lines, and agents on duty."""

    system: System
    line: Line
    agents: dict[str, Agent] = field(default_factory=dict)
    _phones: list[LiveCaller] = field(default_factory=list)

    def agent(self, name: str, hz: float, **user: Any) -> Agent:
        """Somebody at their desk."""
        person = self.system.add_user(name, **user)
        return self.seat(person, hz)

    def seat(self, user: User, hz: float) -> Agent:
        """The user opens a tab and goes on duty (again)."""
        one = self.agents[user.name] = Agent(self.system, user, hz, self.system.on_duty(user))
        return one

    def can_dial(self, address: str) -> None:
        """The line calls out through a trunk to this host and port."""
        box = open_box(self.system.settings.data_dir, self.system.settings.secret_key)
        with self.system.store.write() as tx:
            trunk = trunks.create(
                tx, "system", box, name="Carrier", kind="address", cidrs=["127.0.0.9/32"], outbound_host=address
            )
            lines.change(tx, "system", self.line.id, outbound_trunk_id=trunk)

    def caller(self, number: str = "+33199005003") -> LiveCaller:
        """Somebody with a telephone; gone with the house."""
        one = LiveCaller(self.system.sip_host, self.system.settings.sip_port, caller=number)
        self._phones.append(one)
        return one

    def talk(self, agent: Agent, line: Line | None = None, *, hz: float = CALLER_HZ) -> Talk:
        """The agent answers a call on the line; both hear each other."""
        phone = self.caller()
        phone.call((line or self.line).number, hz, answered=False)
        call_id = agent.rung()
        agent.accept(call_id)
        phone.wait_for(200)
        floor = Floor(Voice("caller", hz, phone.ear), agent.voice)
        floor.wait_all({"caller": {agent.voice.name}, agent.voice.name: {"caller"}})
        return Talk(call_id, phone, agent, floor)

    def at_rest(self, timeout: float = 10) -> None:
        """Nothing is left of any call: no live row, no ringing leg, no slot."""
        left: dict[str, Any] = {}

        def nothing() -> bool:
            left.clear()
            left.update(self._left())
            return not left

        try:
            eventually(nothing, timeout, "calls to be over", every=0.05)
        except AssertionError:
            raise AssertionError(f"left after {timeout} s: {left}\n{self.system.log[-1500:]}") from None

    def _left(self) -> dict[str, Any]:
        with self.system.store.read() as conn:
            found = {what: [tuple(row) for row in conn.exec_driver_sql(query)] for what, query in _LEFT.items()}
        return {what: rows for what, rows in found.items() if rows}

    def clear(self) -> None:
        """Whoever still talks or rings hangs up, and nobody stays at a phone that a test has taken from them."""
        for phone in self._phones:
            phone.hang_up()
            phone.close()
        self._phones.clear()
        for agent in self.agents.values():
            for call_id, seen in agent.tab.view["calls"].items():
                wish = "reject" if agent.id in seen["ringing"] else "hangup"
                self.system.post(agent.user, f"/desk/calls/{call_id}/{wish}", {"command": new_id()})
            agent.put_down()
        self.at_rest()

    def no_leg_left(self) -> None:
        """The worker holds no SIP leg (its beat says so every two seconds: once for all tests)."""
        eventually(lambda: worker_row(self.system)["in_use"] == 0, 10, "SIP legs to be gone")

    def ends(self, call_id: str) -> list[str]:
        """The outcomes of the ends that the log has of a call: one."""
        return [str(row.event.data["outcome"]) for row in self.system.events("call.ended", call_id=call_id)]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for phone in self._phones:
            phone.close()
        for agent in self.agents.values():
            agent.put_down()


_LEFT = {
    "live calls": "SELECT id, state, direction, parent_id FROM calls WHERE ended_at IS NULL",
    "ringing legs": "SELECT call_id, user_id FROM call_legs WHERE state = 'ringing'",
    "busy users": "SELECT name, active_call_id FROM users WHERE active_call_id IS NOT NULL",
}


@contextmanager
def house(system: System, number: str = "+33199000001", **line: Any) -> Iterator[House]:
    """A house with one line, that rings those who are given it later."""
    with House(system, system.add_line(number, [], **line)) as one:
        yield one
