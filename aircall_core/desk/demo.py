"""The demo workspace: a small company with people, lines, contacts and a week of calls, for looking around.

Everything is written by the same use cases as a real day; only the events' times are moved into the past.
"""

import json
import random
import secrets
import shutil
import wave
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aircall_core.config import Settings
from aircall_core.desk import (
    availability,
    blocklist,
    checklist,
    company,
    contact_fields,
    contacts,
    demo_texts,
    do_not_call,
    flows,
    insight_sources,
    lines,
    people,
    prompts,
    schedules,
    tag_settings,
    teams,
    trunks,
)
from aircall_core.desk import secrets as secret_keys
from aircall_core.desk.arrivals import Arrival
from aircall_core.desk.availability import Beat
from aircall_core.desk.demo_calls import OWNER, Caller
from aircall_core.desk.errors import DeskError
from aircall_core.ids import new_id, now_ms
from aircall_core.store import Store, Tx, accounts, provisioning
from aircall_core.store.tags import all_tags

DEMO = Path(__file__).resolve().parents[2] / "data" / "demo" / "workspace.json"
ECHO = "Echo"
CALLS = 70
DAYS = 7
_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class SignIn:
    """How a demo user signs in."""

    name: str
    email: str
    role: str
    password: str


def fill(
    store: Store, settings: Settings, progress: Callable[[int, int], None] | None = None, echo: str = ""
) -> list[SignIn]:
    """Make the demo workspace where there is none yet, and give its users fresh passwords; how they sign in.

    ``progress`` is told how many of how many calls are written. ``echo`` is where calls out go, host:port. Safe to
    repeat. Raises DeskError, before anything is changed, on a store that has users and none of the demo's.
    """
    plan = json.loads(DEMO.read_text(encoding="utf-8"))
    company.ensure_installation(store)
    with store.read() as conn:
        known = {user["email"]: user["id"] for user in accounts.all_users(conn)}
    signs = [SignIn(one["name"], one["email"], one["role"], f"demo-{secrets.token_hex(4)}") for one in plan["users"]]
    fresh = not any(sign.email in known for sign in signs)
    if fresh and known:  # somebody's own: neither their lines nor their company may become the demo's
        raise DeskError(
            "not_a_demo",
            "The store that the settings name is in use, and is no demo workspace: nothing was changed. Unset "
            "AIRCALL_DATA_DIR and AIRCALL_DATABASE_URL, or set them to a place of the demo's own.",
        )
    for sign in signs:
        if sign.email in known:
            people.set_password(store, known[sign.email], sign.password)
        else:
            people.create(store, name=sign.name, email=sign.email, role=sign.role, password=sign.password)
    if fresh:
        _furnish(store, settings, plan)
        _history(store, settings, plan, progress or (lambda done, total: None))
    if echo:
        demo_texts.furnish(store, settings, plan, _let_out(store, settings, echo))
    return signs


def _let_out(store: Store, settings: Settings, echo: str) -> str:
    """Every line of the demo calls out by one trunk, to a phone of this machine, whatever is dialled; its id."""
    box = secret_keys.open_box(settings.data_dir, settings.secret_key)
    with store.write() as tx:
        known = provisioning.trunk_named(tx.conn, ECHO)
        if known is not None:
            trunks.change(tx, "system", box, known["id"], outbound_host=echo)
            return str(known["id"])
        nobody = ["192.0.2.1/32"]  # a network of examples (RFC 5737): no call comes in by this trunk
        trunk = trunks.create(tx, "system", box, name=ECHO, kind=trunks.ADDRESS, cidrs=nobody, outbound_host=echo)
        for line in provisioning.all_lines(tx.conn):
            lines.change(tx, "system", line["id"], outbound_trunk_id=trunk)
        return trunk


def _furnish(store: Store, settings: Settings, plan: Mapping[str, Any]) -> None:
    box = secret_keys.open_box(settings.data_dir, settings.secret_key)
    with store.write() as tx:
        users = {user["email"]: user["id"] for user in accounts.all_users(tx.conn)}
        company.change(tx, "system", {"name": plan["company"], "country": plan["country"], "timezone": "Europe/Paris"})
        checklist.tick(tx, "system", "test_phone_only", True)  # the test phone is enough here
        team_ids = {
            team["name"]: teams.create(tx, "system", name=team["name"], users=[users[one] for one in team["members"]])
            for team in plan["teams"]
        }
        line_ids = {
            line["name"]: lines.create(
                tx,
                "system",
                **{
                    **line,
                    "users": [users[one] for one in line["users"]],
                    "teams": [team_ids[one] for one in line["teams"]],
                },
            )
            for line in plan["lines"]
        }
        fields = {field["name"]: contact_fields.create(tx, "system", field) for field in plan["fields"]}
        for contact in plan["contacts"]:
            known = {fields[name]: value for name, value in contact.get("custom", {}).items()}
            contacts.create(tx, "system", {**contact, "custom": known})
        for source in plan["insights"]:
            insight_sources.create(tx, "system", box, **source)
        for tag in plan["tags"]:
            tag_settings.create(tx, "system", **tag)
        for entry in plan["blocklist"]:
            blocklist.add(tx, "system", **entry)
        for entry in plan["do_not_call"]:
            do_not_call.add(tx, "system", **entry)
        named = {
            "schedule": {one["name"]: schedules.create(tx, "system", one) for one in plan["schedules"]},
            "prompt": {one["name"]: _prompt(tx, settings, one) for one in plan["prompts"]},
            "team": team_ids,
        }
        for name, document in plan["flows"].items():
            flows.save(tx, "system", line_ids[name], _with_ids(document, named), 0)


def _prompt(tx: Tx, settings: Settings, prompt: Mapping[str, str]) -> str:
    """A prompt whose sound ships with the demo; its id."""
    prompt_id = new_id()
    source, target = DEMO.parent / "prompts" / prompt["file"], settings.data_dir / prompts.path_of(prompt_id)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    with wave.open(str(source), "rb") as sound:
        length = sound.getnframes() * 1000 // sound.getframerate()
    prompts.add(
        tx, "system", prompt_id=prompt_id, name=prompt["name"], kind="spoken", duration_ms=length, text=prompt["text"]
    )
    return prompt_id


def _with_ids(value: Any, named: Mapping[str, Mapping[str, str]]) -> Any:
    """A flow's document with ids where the demo's plan has names."""
    if isinstance(value, list):
        return [_with_ids(one, named) for one in value]
    if isinstance(value, dict):
        return {
            key: named[key][one] if key in named and isinstance(one, str) else _with_ids(one, named)
            for key, one in value.items()
        }
    return value


def _history(store: Store, settings: Settings, plan: Mapping[str, Any], progress: Callable[[int, int], None]) -> None:
    dice = random.Random(8501)  # the same week for everybody
    with store.read() as conn:
        all_lines = provisioning.all_lines(conn)
        rung = [user["id"] for user in accounts.all_users(conn) if user["role"] == "agent"]
        tags = tuple(tag["id"] for tag in all_tags(conn))
    numbers = [number for contact in plan["contacts"] for number in contact["numbers"]] + plan["strangers"]
    now = now_ms()
    midnight = now - now % _DAY_MS  # in UTC: shops of the demo's countries are open from 8 to 16
    moments = sorted(
        midnight - dice.randrange(1, DAYS) * _DAY_MS + _DAY_MS // 3 + dice.randrange(_DAY_MS // 3) for _ in range(CALLS)
    )
    with store.write() as tx:
        for user in rung:
            availability.set_duty(tx, user, on=True, command=new_id())
            availability.beat(tx, [_tab(user, now)])
    for done, at in enumerate(moments):
        line = dice.choices(all_lines, weights=[line["ring_s"] for line in all_lines])[0]
        arrival = _arrival(line, dice.choice(numbers), at)
        Caller(store, settings, dice, arrival, recording=line["recording"], tags=tags).tell()
        progress(done + 1, CALLS)
    with store.write() as tx:
        for user in rung:
            availability.set_duty(tx, user, on=False, command=new_id())
            accounts.drop_presence(tx.conn, user)


def _arrival(line: Mapping[str, Any], number: str, at: int) -> Arrival:
    return Arrival(
        call_id=new_id(at),
        line_id=line["id"],
        trunk_id="test-phone",
        from_number=number,
        from_display="",
        to_number=line["number"],
        anonymous=not number,
        sip_call_id=new_id(),
        arrived_at=at,
        owner=OWNER,
    )


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
