"""A small call centre in a store, for tests of the use cases: a line, users who can be rung, calls that arrive."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, insert, update

from aircall_core.desk import arrivals, availability, calls, facts, flow_facts, talk_facts
from aircall_core.desk.arrivals import Arrival, ArrivalPlan
from aircall_core.desk.availability import Beat
from aircall_core.ids import new_id, now_ms
from aircall_core.store import Store, Tx
from aircall_core.store import calls as rows
from aircall_core.store import tables as t
from aircall_core.store.calls import Owner

OWNER = Owner("worker-0@test", 1)


def add_line(tx: Tx, *, number: str = "+33123456789", ring_s: int = 30, recording: str = "off") -> str:
    """A line without users; its id."""
    line = new_id()
    tx.execute(
        insert(t.lines).values(
            id=line, name="Support", number=number, country="FR", ring_s=ring_s, recording=recording, created_at=1
        )
    )
    return line


def add_user(tx: Tx, name: str, *, lines: tuple[str, ...] = (), role: str = "agent", on_duty: bool = True) -> str:
    """An active user assigned to these lines; their id."""
    user = new_id()
    tx.execute(
        insert(t.users).values(
            id=user,
            name=name,
            email=f"{name.lower()}-{user}@example.com",
            role=role,
            state="active",
            on_duty=on_duty,
            created_at=1,
        )
    )
    for line in lines:
        tx.execute(insert(t.line_users).values(line_id=line, user_id=user))
    return user


def add_team(tx: Tx, name: str, users: Sequence[str]) -> str:
    """A team of these users; its id."""
    team = new_id()
    tx.execute(insert(t.teams).values(id=team, name=name, created_at=1))
    for user in users:
        tx.execute(insert(t.team_members).values(team_id=team, user_id=user))
    return team


def set_flow(tx: Tx, line: str, *steps: Mapping[str, Any], version: int = 1) -> None:
    """The line's flow: these steps, as a document has them."""
    tx.execute(insert(t.flows).values(line_id=line, version=version, document={"steps": list(steps)}, created_at=1))


def beat_of(user: str, tab: str = "", *, armed: bool = True) -> Beat:
    """What a tab of this user says of itself."""
    tab_id = tab or f"tab-{user}"
    return Beat(
        tab_id=tab_id,
        user_id=user,
        session_id=new_id(),
        browser_id=f"browser-{user}",
        armed=armed,
        mic="ok",
        focused_at=1,
        connected_at=1,
    )


def go_offline(tx: Tx, user: str) -> None:
    """All tabs of the user are gone."""
    tx.execute(update(t.presence).where(t.presence.c.user_id == user).values(lease_until=0))


def add_tag(tx: Tx, name: str) -> str:
    """A tag that calls can be given; its id."""
    tag = new_id()
    tx.execute(insert(t.tags).values(id=tag, name=name, color="#336699", created_at=1))
    return tag


def add_schedule(tx: Tx, name: str, *span: str) -> str:
    """Working hours that are the same every day of the week, in UTC; their id."""
    schedule, day = new_id(), [list(span)] if span else []
    tx.execute(
        insert(t.schedules).values(id=schedule, name=name, timezone="UTC", weekly=[day] * 7, special={}, created_at=1)
    )
    return schedule


@dataclass
class Desk:
    """One line and its users, online and on duty."""

    store: Store
    users: tuple[str, ...]
    line: str = ""
    ids: dict[str, str] = field(default_factory=dict)
    owner: Owner = OWNER
    now: Callable[[], int] = now_ms

    @classmethod
    def open(cls, store: Store, *names: str, **line: object) -> "Desk":
        """A line whose assigned users have these names, all of them available."""
        with store.write() as tx:
            line_id = add_line(tx, **line)  # type: ignore[arg-type]
            ids = {name: add_user(tx, name, lines=(line_id,)) for name in names}
            availability.beat(tx, [beat_of(user) for user in ids.values()])
        return cls(store, tuple(ids.values()), line_id, ids)

    def may_call_out(self, tx: Tx) -> None:
        """All lines have a trunk for calls out, and there is a worker that has room."""
        trunk = new_id()
        host = "sip.example.com"
        tx.execute(insert(t.trunks).values(id=trunk, name=trunk, kind="register", host=host, created_at=1))
        tx.execute(update(t.lines).values(outbound_trunk_id=trunk))
        node = {"id": self.owner.node, "epoch": self.owner.epoch, "kind": "worker", "host": "test", "pid": 1}
        tx.execute(delete(t.nodes).where(t.nodes.c.id == self.owner.node))
        lease = now_ms() + 3_600_000
        tx.execute(insert(t.nodes).values(**node, capacity=10, info={}, version="1", started_at=1, lease_until=lease))

    @property
    def names(self) -> dict[str, str]:
        """Names by id."""
        return {user: name for name, user in self.ids.items()}

    def flow(self, *steps: Mapping[str, Any], version: int = 1) -> None:
        """Calls go through these steps from now on."""
        with self.store.write() as tx:
            set_flow(tx, self.line, *steps, version=version)

    def fact(self, name: str, call: str, **fields: Any) -> Any:
        """The call's worker reports something that the flow did; what it is told."""
        with self.store.write() as tx:
            return getattr(flow_facts, name)(tx, self.owner, call, **fields)

    def report(self, name: str, call: str, **fields: Any) -> Any:
        """The call's worker reports something that became of it while somebody talked in it; what it is told."""
        with self.store.write() as tx:
            known = getattr(talk_facts, name, None) or getattr(facts, name)
            return known(tx, self.owner, call, **fields)

    def wish(self, use_case: Callable[..., Any], call: str, name: str, **fields: Any) -> Any:
        """The user of this name wants something of a call (a use case of talk, transfers, calls); what it gives."""
        with self.store.write() as tx:
            return use_case(tx, call, self.ids[name], **{"command": new_id(), **fields})

    def call(self, call_id: str) -> dict[str, Any]:
        """The call's row."""
        with self.store.read() as conn:
            row = rows.get(conn, call_id)
        assert row is not None
        return row

    def ringing(self, call_id: str) -> set[str]:
        """Names of the users rung now."""
        with self.store.read() as conn:
            rung = rows.ringing_users(conn, call_id)
        return {name for name, user in self.ids.items() if user in rung}

    def reject(self, call: str, name: str) -> None:
        """The user of this name rejects the call."""
        with self.store.write() as tx:
            calls.reject(tx, call, self.ids[name], command=new_id())

    def arrive(self, number: str = "+33611223344", **changes: object) -> ArrivalPlan:
        """A call from this number comes in."""
        values: dict[str, object] = {
            "call_id": new_id(),
            "line_id": self.line,
            "trunk_id": None,
            "from_number": number,
            "from_display": "",
            "to_number": "+33123456789",
            "anonymous": not number,
            "sip_call_id": new_id(),
            "arrived_at": self.now(),
            "owner": self.owner,
        }
        with self.store.write() as tx:
            return arrivals.receive(tx, Arrival(**(values | changes)))  # type: ignore[arg-type]

    def accept(self, call: str, user: str, command: str = "") -> str:
        """The user accepts; the command's id."""
        command = command or new_id()
        with self.store.write() as tx:
            calls.accept(tx, call, user, command=command, peer=f"peer-{command}", tab=f"tab-{user}")
        return command

    def answer(self, call: str, user: str) -> None:
        """The user accepts and the worker connects them."""
        command = self.accept(call, user)
        with self.store.write() as tx:
            facts.answered(tx, self.owner, call, user_id=user, command=command, at=self.now(), dialog=None)
            facts.confirmed(tx, self.owner, call, at=self.now())

    def end(self, call: str, by: str = "caller") -> None:
        """The call ends."""
        with self.store.write() as tx:
            facts.ended(tx, self.owner, call, by=by, at=self.now(), reason="bye")
