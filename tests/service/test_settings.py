"""Hours, tags, blocklist, plan, rollout: what administrators set, its mistakes at their fields, and the audit log."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from aircall_core.config import Settings
from aircall_core.desk import company, tag_settings
from aircall_core.desk.audit import HIDDEN
from aircall_core.ids import now_ms
from aircall_core.service import due as due_jobs
from aircall_core.service import probe
from aircall_core.store import audit as audit_rows
from aircall_core.store import provisioning
from aircall_core.store import tables as t
from tests.service.conftest import World
from tests.support.desk_kit import Desk

OFFICE: dict[str, Any] = {
    "name": "Office", "timezone": "Europe/Paris", "weekly": [*[[["09:00", "18:00"]]] * 5, [], []], "country": "FR",
}  # fmt: skip


@pytest.fixture
def boss(world: World) -> str:
    """An administrator."""
    return world.user("Boss", "administrator")


def fields(answer: Any) -> set[str]:
    assert answer.status_code == 422, answer.text
    return set(answer.json()["error"]["fields"])


def log(world: World) -> list[dict[str, Any]]:
    """The audit log, newest first."""
    with world.store.read() as conn:
        return audit_rows.entries(conn, limit=1000)


# ---- hours


def test_hours_from_first_to_last(world: World, boss: str) -> None:
    made = world.ask("POST", "/desk/schedules", boss, json=OFFICE)
    assert made.status_code == 201, made.text
    schedule = made.json()["id"]
    special = {"2026-12-24": [["09:00", "12:00"]]}
    assert world.ask("PATCH", f"/desk/schedules/{schedule}", boss, json={"special": special}).status_code == 200
    (listed,) = world.ask("GET", "/desk/schedules", boss).json()["schedules"]
    assert (listed["special"], listed["country"], listed["weekly"][6]) == (special, "FR", [])
    assert world.ask("PATCH", f"/desk/schedules/{schedule}", boss, json={"country": None}).status_code == 200
    (listed,) = world.ask("GET", "/desk/schedules", boss).json()["schedules"]
    assert listed["country"] is None
    assert [row.kind for row in world.store.events(0)].count("schedule.changed") == 3
    assert world.ask("DELETE", f"/desk/schedules/{schedule}", boss).status_code == 204
    assert world.ask("DELETE", f"/desk/schedules/{schedule}", boss).status_code == 404


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"name": " "}, {"name"}),
        ({"timezone": "Mars"}, {"timezone"}),
        ({"weekly": [[]] * 6}, {"weekly"}),
        ({"weekly": [*[[]] * 6, [["9", "10"]]]}, {"weekly.6"}),
        ({"weekly": [*[[]] * 6, [["09:00", "11:00"], ["10:00", "12:00"]]]}, {"weekly.6"}),
        ({"special": {"Christmas": []}}, {"special"}),
        ({"special": {"2026-12-24": [["10:00", "10:00"]]}}, {"special.2026-12-24"}),
        ({"country": "XX"}, {"country"}),
        ({"subdivision": "Bavaria"}, {"subdivision"}),
        ({"name": "", "country": "XX"}, {"name", "country"}),
    ],
)
def test_hours_with_mistakes(world: World, boss: str, change: dict[str, Any], wrong: set[str]) -> None:
    assert fields(world.ask("POST", "/desk/schedules", boss, json=OFFICE | change)) == wrong
    assert world.ask("GET", "/desk/schedules", boss).json()["schedules"] == []


def test_hours_that_somebody_needs_stay(world: World, boss: str) -> None:
    schedule = world.ask("POST", "/desk/schedules", boss, json=OFFICE).json()["id"]
    assert fields(world.ask("POST", "/desk/schedules", boss, json=OFFICE | {"name": "OFFICE"})) == {"name"}
    with world.store.write() as tx:
        tx.execute(update(t.users).where(t.users.c.id == boss).values(schedule_id=schedule))
    refused = world.ask("DELETE", f"/desk/schedules/{schedule}", boss)
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "in_use")
    assert "Boss" in refused.json()["error"]["message"]


# ---- tags


def test_tags(world: World, boss: str) -> None:
    made = world.ask("POST", "/desk/tags", boss, json={"name": " Sale ", "color": "#AABBCC"})
    tag = made.json()["id"]
    assert fields(world.ask("POST", "/desk/tags", boss, json={"name": "SALE", "color": "#aabbcc"})) == {"name"}
    assert fields(world.ask("POST", "/desk/tags", boss, json={"name": "x", "color": "red; x: url(y)"})) == {"color"}
    agent = world.user("Ada")
    (listed,) = world.ask("GET", "/desk/tags", agent).json()["tags"]
    assert (listed["name"], listed["color"], listed["archived"], listed["uses"]) == ("Sale", "#aabbcc", False, 0)
    assert world.ask("PATCH", f"/desk/tags/{tag}", agent, json={"name": "Mine"}).status_code == 403
    world.ask("PATCH", f"/desk/tags/{tag}", boss, json={"archived": True})
    assert world.ask("GET", "/desk/tags", boss).json()["tags"][0]["archived"]
    office = Desk.open(world.store, "Bob")
    call = office.arrive().call_id
    with world.store.write() as tx:
        tx.execute(t.call_tags.insert().values(call_id=call, tag_id=tag, user_id=agent, at=1))
    assert world.ask("DELETE", f"/desk/tags/{tag}", boss).json()["error"]["code"] == "in_use"
    with world.store.write() as tx:
        tx.execute(t.call_tags.delete())
    assert world.ask("DELETE", f"/desk/tags/{tag}", boss).status_code == 204


# ---- blocklist


@pytest.mark.parametrize(
    ("number", "pattern"),
    [
        ("06 12 34 56 78", "+33612345678"),
        ("+44 20 7946 0000", "+442079460000"),
        ("0044 20 7946 0000", "+442079460000"),
        ("0899*", "+33899*"),
        ("+44 20*", "+4420*"),
        ("0044*", "+44*"),
        ("Anonymous", "anonymous"),
        ("4100", "4100"),
    ],
)
def test_numbers_are_blocked_in_any_spelling(world: World, boss: str, number: str, pattern: str) -> None:
    world.ask("PATCH", "/desk/company", boss, json={"name": "A", "country": "FR"})
    assert world.ask("POST", "/desk/blocklist", boss, json={"number": number}).status_code == 201
    (entry,) = world.ask("GET", "/desk/blocklist", boss).json()["entries"]
    assert entry["pattern"] == pattern
    assert fields(world.ask("POST", "/desk/blocklist", boss, json={"number": pattern})) == {"number"}


@pytest.mark.parametrize("number", ["", "hello", "*", "+*", "+33 6 12*34", "1", "*12"])
def test_what_is_no_number_is_not_blocked(world: World, boss: str, number: str) -> None:
    world.ask("PATCH", "/desk/company", boss, json={"name": "A", "country": "FR"})
    assert fields(world.ask("POST", "/desk/blocklist", boss, json={"number": number})) == {"number"}


@pytest.mark.parametrize("pattern", ["+33612345678", "+336*", "anonymous"])
def test_a_blocked_caller_rings_nobody_and_is_counted(world: World, boss: str, pattern: str) -> None:
    office = Desk.open(world.store, "Ada")
    entry = world.ask("POST", "/desk/blocklist", boss, json={"number": pattern, "note": "a b"}).json()["id"]
    plan = office.arrive("" if pattern == "anonymous" else "+33612345678")
    assert plan.blocked
    assert not office.arrive("+33712345678").blocked
    (row,) = world.ask("GET", "/desk/blocklist", boss).json()["entries"]
    assert (row["hits"], row["note"]) == (1, "a b")
    assert now_ms() - row["last_at"] < 60_000
    assert world.ask("PATCH", f"/desk/blocklist/{entry}", boss, json={"note": "x" * 201}).status_code == 422
    assert world.ask("PATCH", f"/desk/blocklist/{entry}", boss, json={"note": "c"}).status_code == 200
    assert world.ask("DELETE", f"/desk/blocklist/{entry}", boss).status_code == 204
    assert not office.arrive("" if pattern == "anonymous" else "+33612345678").blocked


# ---- plan and rollout


def test_the_plan(world: World, boss: str) -> None:
    assert fields(world.ask("PATCH", "/desk/company", boss, json={"plan": "golden"})) == {"plan"}
    assert fields(world.ask("PATCH", "/desk/company", boss, json={"add_ons": ["gold"]})) == {"add_ons"}
    now = world.ask("PATCH", "/desk/company", boss, json={"plan": "essentials", "add_ons": ["sms"]}).json()
    assert (now["plan"], now["add_ons"], now["trial_until"]) == ("essentials", ["sms"], None)
    begun = world.ask("PATCH", "/desk/company", boss, json={"start_trial": True}).json()["trial_until"]
    assert 13 < (begun - now_ms()) / 86_400_000 < 15
    assert fields(world.ask("PATCH", "/desk/company", boss, json={"start_trial": True})) == {"start_trial"}
    assert fields(world.ask("PATCH", "/desk/company", boss, json={"auto_pause_after": 99})) == {"auto_pause_after"}
    assert world.ask("PATCH", "/desk/company", boss, json={"auto_pause_after": 3}).json()["auto_pause_after"] == 3


def test_an_announced_day_switches_itself_on(world: World, boss: str) -> None:
    def say(state: str, day: object = None) -> Any:
        told = {"state": state, "date": str(day) if day else None}
        return world.ask("PATCH", "/desk/company", boss, json={"rollout": told})

    assert fields(say("soon")) == {"rollout.state"}
    assert fields(say("announced")) == {"rollout.date"}
    today = datetime.now(UTC).date()
    assert fields(say("announced", today - timedelta(days=1))) == {"rollout.date"}
    assert say("announced", today + timedelta(days=2)).status_code == 200
    runner = due_jobs.Runner(world.store, Settings(_env_file=None), lambda: None)
    runner.once()
    assert company.read(world.store)["rollout"]["state"] == "announced", "not yet"
    with world.store.write() as tx:  # the day comes
        known = provisioning.setting(tx.conn, "rollout")
        provisioning.put_setting(tx.conn, "rollout", known | {"date": str(today)})
        tx.execute(update(t.due).where(t.due.c.kind == company.ROLLOUT_DUE).values(due_at=1))
    before = world.store.last_seq()
    runner.once()
    assert company.read(world.store)["rollout"]["state"] == "on"
    assert [row.kind for row in world.store.events(before)] == ["company.changed"]
    assert (log(world)[0]["action"], log(world)[0]["actor"]) == ("company.changed", "system")
    say("announced", today + timedelta(days=2))
    say("off")
    with world.store.read() as conn:
        assert conn.execute(t.due.select().where(t.due.c.kind == company.ROLLOUT_DUE)).all() == []


# ---- the audit log


def test_every_change_of_a_setting_is_in_the_audit_log(world: World, boss: str) -> None:
    ask = world.ask
    team = ask("POST", "/desk/teams", boss, json={"name": "Team", "users": [boss]}).json()["id"]
    ask("PATCH", f"/desk/teams/{team}", boss, json={"users": []})
    line = ask("POST", "/desk/lines", boss, json={"name": "L", "number": "+33199001234", "country": "FR"}).json()["id"]
    ask("PATCH", f"/desk/lines/{line}", boss, json={"ring_s": 20, "teams": [team], "priority": 2})
    trunk = {"name": "T", "kind": "register", "host": "sip.example.com", "username": "u", "password": "p4ss-word!"}
    trunk_id = ask("POST", "/desk/trunks", boss, json=trunk).json()["id"]
    ask("PATCH", f"/desk/trunks/{trunk_id}", boss, json={"password": "0ther-p4ss!"})
    ask("DELETE", f"/desk/trunks/{trunk_id}", boss)
    ask("DELETE", f"/desk/lines/{line}", boss)
    ask("DELETE", f"/desk/teams/{team}", boss)
    ask("PATCH", "/desk/company", boss, json={"name": "ACME", "country": "FR"})
    told = [(one["action"], one["subject_name"]) for one in reversed(log(world))]
    assert told[-10:] == [
        ("team.created", "Team"), ("team.changed", "Team"), ("line.created", "L"), ("line.changed", "L"),
        ("trunk.created", "T"), ("trunk.changed", "T"), ("trunk.removed", "T"), ("line.removed", "L"),
        ("team.removed", "Team"), ("company.changed", "ACME"),
    ]  # fmt: skip
    by_action = {one["action"]: one for one in log(world)}
    assert by_action["line.changed"]["changes"] == {"ring_s": [30, 20], "priority": [None, 2], "teams": [[], ["Team"]]}
    assert by_action["trunk.changed"]["changes"] == {"password": [None, HIDDEN]}
    assert by_action["line.changed"]["actor_name"] == "Boss"
    whole = json.dumps(log(world))
    assert "p4ss" not in whole


def test_the_audit_log_is_searched_and_paged(world: World, boss: str) -> None:
    with world.store.write() as tx:
        for number in range(120):
            tag_settings.create(tx, f"user:{boss}", name=f"Tag {number}", color="#000000")
    first = world.ask("GET", "/desk/audit", boss).json()
    assert len(first["entries"]) == 100
    second = world.ask("GET", f"/desk/audit?before={first['next']}", boss).json()
    seen = [one["id"] for one in first["entries"] + second["entries"]]
    assert len(seen) == len(set(seen)) == len(log(world))
    assert second["next"] is None
    found = world.ask("GET", "/desk/audit?search=tag 11", boss).json()["entries"]
    assert {one["subject_name"] for one in found} == {"Tag 11", *(f"Tag {number}" for number in range(110, 120))}
    assert world.ask("GET", "/desk/audit?search=%25", boss).json()["entries"] == []
    assert world.ask("GET", "/desk/audit?before=nothing", boss).json()["entries"] == []


# ---- trunks


class Registrar(asyncio.DatagramProtocol):
    """Answers the second of every two requests, as a network that loses things does."""

    heard = 0

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.heard += 1
        if self.heard == 2:
            assert data.startswith(b"OPTIONS sip:")
            self.transport.sendto(b"SIP/2.0 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n", addr)


async def _mail(_: asyncio.StreamReader, out: asyncio.StreamWriter) -> None:
    """Something that does not speak SIP."""
    out.write(b"220 mail\r\n")
    out.close()


def test_a_registrar_is_asked() -> None:
    async def story() -> tuple[probe.Answer, probe.Answer, probe.Answer]:
        loop = asyncio.get_running_loop()
        there, _ = await loop.create_datagram_endpoint(Registrar, local_addr=("127.0.0.1", 0))
        port = there.get_extra_info("sockname")[1]
        answers = await probe.options(f"127.0.0.1:{port}", "udp")
        there.close()
        server = await asyncio.start_server(_mail, "127.0.0.1", 0)
        odd = await probe.options(f"127.0.0.1:{server.sockets[0].getsockname()[1]}", "tcp")
        server.close()
        gone = await probe.options(f"127.0.0.1:{port}", "tcp")
        return answers, odd, gone

    answers, odd, gone = asyncio.run(story())
    assert (answers.problem, answers.code, answers.reason) == ("", 405, "Method Not Allowed")
    assert odd.problem == "not_sip"
    assert gone.problem == "refused"


def test_a_trunk_that_calls_us_cannot_be_asked(world: World, boss: str) -> None:
    made = world.ask("POST", "/desk/trunks", boss, json={"name": "P", "kind": "address", "cidrs": ["192.0.2.1"]})
    answer = world.ask("POST", f"/desk/trunks/{made.json()['id']}/test", boss)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "no_host")
