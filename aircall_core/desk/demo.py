"""The demo workspace: a small company with people, lines, contacts and a week of calls, for looking around.

Everything is written by the same use cases as a real day; only the events' times are moved into the past.
"""

import json
import random
import secrets
import wave
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from aircall_core.config import Settings
from aircall_core.desk import arrivals, availability, calls, checklist, company, facts, lines, people, teams
from aircall_core.desk.arrivals import Arrival
from aircall_core.desk.availability import Beat
from aircall_core.desk.errors import DeskError
from aircall_core.ids import new_id, now_ms
from aircall_core.store import Store, Tx, accounts, provisioning
from aircall_core.store import conversations as conversation_rows
from aircall_core.store.backdate import backdate
from aircall_core.store.calls import Owner

DEMO = Path(__file__).resolve().parents[2] / "data" / "demo" / "workspace.json"
SPEECH = Path(__file__).resolve().parents[2] / "data" / "prompts" / "test-call.wav"
CALLS = 70
DAYS = 7
T = TypeVar("T")
_DAY_MS = 86_400_000
_OWNER = Owner("demo", 1)  # nobody's: its calls have all ended


@dataclass(frozen=True, slots=True)
class SignIn:
    """How a demo user signs in."""

    name: str
    email: str
    role: str
    password: str


def fill(store: Store, settings: Settings, progress: Callable[[int, int], None] | None = None) -> list[SignIn]:
    """Make the demo workspace where there is none yet, and give its users fresh passwords; how they sign in.

    ``progress`` is told how many of how many calls are written. Safe to repeat.
    """
    plan = json.loads(DEMO.read_text(encoding="utf-8"))
    company.ensure_installation(store, settings.sip_host)
    with store.read() as conn:
        known = {user["email"]: user["id"] for user in accounts.all_users(conn)}
    signs = [SignIn(one["name"], one["email"], one["role"], f"demo-{secrets.token_hex(4)}") for one in plan["users"]]
    fresh = not any(sign.email in known for sign in signs)
    for sign in signs:
        if sign.email in known:
            people.set_password(store, known[sign.email], sign.password)
        else:
            people.create(store, name=sign.name, email=sign.email, role=sign.role, password=sign.password)
    if fresh:
        _furnish(store, plan)
        _history(store, settings, plan, progress or (lambda done, total: None))
    return signs


def _furnish(store: Store, plan: Mapping[str, Any]) -> None:
    with store.write() as tx:
        users = {user["email"]: user["id"] for user in accounts.all_users(tx.conn)}
        company.change(tx, "system", {"name": plan["company"], "country": plan["country"], "timezone": "Europe/Paris"})
        checklist.tick(tx, "system", "test_phone_only", True)  # the test phone is enough here
        team_ids = {
            team["name"]: teams.create(tx, "system", name=team["name"], users=[users[one] for one in team["members"]])
            for team in plan["teams"]
        }
        for line in plan["lines"]:
            lines.create(
                tx,
                "system",
                users=[users[one] for one in line["users"]],
                teams=[team_ids[one] for one in line["teams"]],
                **{key: line[key] for key in ("name", "number", "country", "ring_s", "recording")},
            )
        for contact in plan["contacts"]:
            conversation_rows.add_contact(
                tx.conn,
                contact["numbers"],
                id=new_id(),
                name=contact["name"],
                company=contact["company"],
                created_at=tx.now_ms(),
            )


def _history(store: Store, settings: Settings, plan: Mapping[str, Any], progress: Callable[[int, int], None]) -> None:
    dice = random.Random(8501)  # the same week for everybody
    with store.read() as conn:
        all_lines = provisioning.all_lines(conn)
        rung = [user["id"] for user in accounts.all_users(conn) if user["role"] == "agent"]
    numbers = [number for contact in plan["contacts"] for number in contact["numbers"]] + plan["strangers"]
    now = now_ms()
    moments = sorted(now - dice.randrange(1, DAYS) * _DAY_MS - dice.randrange(_DAY_MS // 3) for _ in range(CALLS))
    with store.write() as tx:
        for user in rung:
            availability.set_duty(tx, user, on=True, command=new_id())
            availability.beat(tx, [_tab(user, now)])
    for done, at in enumerate(moments):
        line = all_lines[0] if dice.random() < 0.7 else all_lines[-1]
        _one_call(store, settings, dice, line, dice.choice(numbers), at)
        progress(done + 1, CALLS)
    with store.write() as tx:
        for user in rung:
            availability.set_duty(tx, user, on=False, command=new_id())
            accounts.drop_presence(tx.conn, user)


def _one_call(
    store: Store, settings: Settings, dice: random.Random, line: Mapping[str, Any], number: str, at: int
) -> None:
    """One call of the past: most are answered within seconds, some callers give up, some are heard by nobody."""
    call_id, story = new_id(at), dice.random()
    arrival = Arrival(
        call_id=call_id,
        line_id=line["id"],
        trunk_id="test-phone",
        from_number=number,
        from_display="",
        to_number=line["number"],
        anonymous=not number,
        sip_call_id=new_id(),
        arrived_at=at,
        owner=_OWNER,
    )
    waited, talked = dice.randrange(2_000, 18_000), dice.randrange(20_000, 400_000)
    plan = _at(store, at, lambda tx: arrivals.receive(tx, arrival))
    if story < 0.68 and plan.ring:
        user, command = dice.choice(plan.ring), new_id()
        picked = at + waited

        def answer(tx: Tx) -> None:
            calls.accept(tx, call_id, user, command=command, peer=new_id(), tab="demo-tab")
            facts.answered(tx, _OWNER, call_id, user_id=user, command=command, at=picked, dialog=None)
            facts.confirmed(tx, _OWNER, call_id, at=picked)

        _at(store, picked, answer)
        over, by = picked + talked, dice.choice(("caller", "caller", "agent"))
        _at(store, over, lambda tx: facts.ended(tx, _OWNER, call_id, by=by, at=over, reason="bye"))
        if line["recording"] != "off" and dice.random() < 0.3:
            path, length, size = _recording(settings, call_id)
            _at(
                store,
                over,
                lambda tx: facts.recording_saved(
                    tx, call_id, actor="system", path=path, duration_ms=length, size_bytes=size, at=over
                ),
            )
    elif story < 0.85:
        over = at + waited
        _at(store, over, lambda tx: facts.ended(tx, _OWNER, call_id, by="caller", at=over, reason="cancel"))
    else:
        over = at + line["ring_s"] * 1000
        with suppress(DeskError):
            _at(store, over, lambda tx: facts.overflow(tx, _OWNER, call_id, reason="timeout", at=over))
        _at(
            store,
            over + 5_000,
            lambda tx: facts.ended(tx, _OWNER, call_id, by="system", at=over + 5_000, sip_code=480, reason="nobody"),
        )


def _at(store: Store, at: int, deed: Callable[[Tx], T]) -> T:
    """Do it, and file its events under the moment it tells of."""
    with store.write() as tx:
        result = deed(tx)
    seqs: Sequence[int] = tx.seqs
    with store.write() as tx:
        backdate(tx.conn, dict.fromkeys(seqs, at))
    return result


def _recording(settings: Settings, call_id: str) -> tuple[str, int, int]:
    """A stereo file with the test phone's words on the caller's side; path in the data folder, ms, bytes."""
    target = settings.recordings_dir / "demo" / f"{call_id}.wav"
    target.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(SPEECH), "rb") as source:
        rate, count = source.getframerate(), source.getnframes()
        mono = source.readframes(count)
    stereo = bytearray(len(mono) * 2)
    stereo[0::4], stereo[1::4] = mono[0::2], mono[1::2]
    with wave.open(str(target), "wb") as out:
        out.setnchannels(2)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(bytes(stereo))
    return str(target.relative_to(settings.data_dir)), count * 1000 // rate, target.stat().st_size


def _tab(user: str, now: int) -> Beat:
    return Beat(
        tab_id=f"demo-{user}",
        user_id=user,
        session_id=new_id(),
        browser_id="demo",
        armed=False,
        mic="ok",
        focused_at=now,
        connected_at=now,
    )
