"""Call flows: saved by version, refused with the place of each mistake, and never under the feet of a live call."""

from typing import Any

import pytest

from aircall_core.desk import flows
from aircall_core.domain.flow import Kind, parse
from aircall_core.store import audit as audit_rows
from aircall_core.ui.text import t
from tests.service.conftest import World
from tests.support.desk_kit import Desk

RING: dict[str, Any] = {"id": "ring", "kind": "ring", "total_s": 20, "user_s": 20}
VOICEMAIL: dict[str, Any] = {"id": "vm", "kind": "voicemail", "prompt": {"shipped": "voicemail"}}
MENU: dict[str, Any] = {
    "id": "menu", "kind": "menu", "prompt": {"shipped": "goodbye"}, "options": {"1": "Sales", "2": "Help"},
    "branches": {"1": [RING], "none": [{"id": "bye", "kind": "hang_up"}]},
}  # fmt: skip


@pytest.fixture
def office(world: World) -> Desk:
    """A line with Ada, and an administrator to ask as."""
    world.user("Boss", "administrator")
    return Desk.open(world.store, "Ada")


def put(world: World, line: str, steps: list[dict[str, Any]], version: int, **more: Any) -> Any:
    """Save a flow."""
    body = {"document": {"steps": steps}, "version": version, **more}
    return world.ask("PUT", f"/desk/lines/{line}/flow", world.users["Boss"], json=body)


def get(world: World, line: str, query: str = "") -> Any:
    """Read it."""
    return world.ask("GET", f"/desk/lines/{line}/flow{query}", world.users["Boss"])


def test_a_line_without_a_flow_has_the_default_one(world: World, office: Desk) -> None:
    found = get(world, office.line).json()
    assert (found["version"], found["problems"]) == (0, [])
    assert [step["kind"] for step in found["document"]["steps"]] == ["ring", "voicemail"]
    assert get(world, "nothing").status_code == 404


def test_flows_are_kept_version_by_version(world: World, office: Desk) -> None:
    assert put(world, office.line, [MENU, VOICEMAIL], 0).json() == {"version": 1}
    assert put(world, office.line, [RING, VOICEMAIL], 1).json() == {"version": 2}
    assert put(world, office.line, [RING, VOICEMAIL], 2).json() == {"version": 2}, "nothing has changed"
    old, new = get(world, office.line, "?version=1").json(), get(world, office.line).json()
    assert (old["version"], new["version"]) == (1, 2)
    assert parse(old["document"]).get("menu") is not None
    assert parse(new["document"]).get("menu") is None
    for query in ("?version=3", "?version=x", "?version=-1", "?version=99999999999999"):
        assert get(world, office.line, query).status_code == 404, query
    listed = world.ask("GET", f"/desk/lines/{office.line}/flow/versions", world.users["Boss"]).json()["versions"]
    assert [(one["version"], one["author"]) for one in listed] == [(2, "Boss"), (1, "Boss")]
    changed = [row.event for row in world.store.events(0) if row.kind == "flow.changed"]
    assert [event.data for event in changed] == [{"version": 1}, {"version": 2}]
    with world.store.read() as conn:
        assert [one["action"] for one in audit_rows.entries(conn)][:2] == ["flow.changed"] * 2


def test_who_comes_second_is_told(world: World, office: Desk) -> None:
    put(world, office.line, [RING], 0)
    late = put(world, office.line, [VOICEMAIL], 0)
    assert (late.status_code, late.json()["error"]["code"], late.json()["error"]["version"]) == (409, "changed", 1)
    assert parse(get(world, office.line).json()["document"]).get("ring") is not None


@pytest.mark.parametrize(
    ("steps", "problems"),
    [
        ([], [("", "steps", "empty")]),
        ([{**RING, "total_s": 2}], [("ring", "total_s", "between")]),
        ([{**RING, "target": {"team": "gone"}}], [("ring", "target", "gone")]),
        ([{**MENU, "options": {}}], [("menu", "options", "no_options"), ("menu", "branches", "no_branch")]),
        ([VOICEMAIL, RING], [("ring", "", "unreachable")]),
        ([{"id": "h", "kind": "hours"}], [("h", "schedule", "no_schedule")]),
        ([{"id": "m", "kind": "message", "prompt": {"prompt": "gone"}}], [("m", "prompt", "gone")]),
        ([{"id": "r", "kind": "redirect", "line": "gone"}], [("r", "line", "gone")]),
        ([{"id": "l", "kind": "lookup", "url": "file:///etc/passwd"}], [("l", "url", "url")]),
    ],
)
def test_an_invalid_flow_is_not_saved_and_says_where(
    world: World, office: Desk, steps: list[dict[str, Any]], problems: list[tuple[str, str, str]]
) -> None:
    answer = put(world, office.line, steps, 0)
    assert answer.status_code == 422, answer.text
    told = answer.json()["error"]["problems"]
    assert [(one["step"], one["setting"], one["code"]) for one in told] == problems
    assert all(one["message"] and "{" not in one["message"] for one in told)
    assert get(world, office.line).json()["version"] == 0


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"steps": "all"},
        {"steps": [{"id": "a", "kind": "dance"}]},
        {"steps": [RING, RING]},
        {"steps": [{"kind": "ring"}]},
    ],
)
def test_what_is_no_flow_at_all(world: World, office: Desk, document: dict[str, Any]) -> None:
    body = {"document": document, "version": 0}
    answer = world.ask("PUT", f"/desk/lines/{office.line}/flow", world.users["Boss"], json=body)
    assert answer.status_code == 422, answer.text


def test_a_flow_may_not_lead_to_its_own_line(world: World, office: Desk) -> None:
    answer = put(world, office.line, [{"id": "r", "kind": "redirect", "line": office.line}], 0)
    assert answer.json()["error"]["problems"][0]["code"] == "gone"


def test_a_live_call_keeps_the_version_it_began_with(world: World, office: Desk) -> None:
    put(world, office.line, [RING, VOICEMAIL], 0)
    call = office.arrive().call_id
    put(world, office.line, [VOICEMAIL], 1)
    again = office.arrive("+33611223344", call_id=call)  # a worker that asks again gets the same plan
    assert (again.flow_version, again.step) == (1, "ring")
    assert office.arrive("+33699999999").flow_version == 2


def test_what_a_flow_needs_cannot_be_removed(world: World, office: Desk) -> None:
    boss = world.users["Boss"]
    team = world.ask("POST", "/desk/teams", boss, json={"name": "Crew"}).json()["id"]
    hours = {"name": "Office", "timezone": "UTC", "weekly": [[]] * 7}
    schedule = world.ask("POST", "/desk/schedules", boss, json=hours).json()["id"]
    other = world.ask("POST", "/desk/lines", boss, json={"name": "B", "number": "+33199001235", "country": "FR"})
    line = other.json()["id"]
    steps = [
        {"id": "h", "kind": "hours", "schedule": schedule, "branches": {
            "closed": [{"id": "r", "kind": "redirect", "line": line}]}},
        {**RING, "target": {"team": team}},
    ]  # fmt: skip
    assert put(world, office.line, steps, 0).status_code == 200
    for path in (f"/desk/teams/{team}", f"/desk/schedules/{schedule}", f"/desk/lines/{line}"):
        refused = world.ask("DELETE", path, boss)
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "in_use"), path
    assert put(world, office.line, [VOICEMAIL], 1).status_code == 200
    for path in (f"/desk/teams/{team}", f"/desk/schedules/{schedule}", f"/desk/lines/{line}"):
        assert world.ask("DELETE", path, boss).status_code == 204, path


def test_a_lookups_token_goes_in_and_never_out(world: World, office: Desk) -> None:
    lookup = {"id": "look", "kind": "lookup", "url": "https://example.com/route", "has_secret": True}
    assert put(world, office.line, [lookup], 0).json() == {"version": 1}
    assert parse(get(world, office.line).json()["document"]).steps[0]["has_secret"] is False, "nobody gave one"
    put(world, office.line, [lookup], 1, secrets={"look": "s3cret-token"})
    shown = get(world, office.line)
    assert "s3cret" not in shown.text
    assert parse(shown.json()["document"]).steps[0]["has_secret"] is True
    assert flows.lookup_secrets(world.store, world.desk.box) == {(office.line, "look"): "s3cret-token"}
    with world.store.read() as conn:
        assert "s3cret" not in str(audit_rows.entries(conn))
        raw = conn.exec_driver_sql("SELECT value FROM settings").all()
    assert "s3cret" not in str(raw)
    put(world, office.line, [{**lookup, "timeout_s": 2}], 2)
    assert flows.lookup_secrets(world.store, world.desk.box), "another change keeps it"
    put(world, office.line, [VOICEMAIL], 3)
    assert flows.lookup_secrets(world.store, world.desk.box) == {}, "gone with its step"


def test_every_kind_of_step_has_its_words() -> None:
    for kind in Kind:
        assert t(f"flow.kind_{kind.value}")
        assert t(f"flow.help_{kind.value}")
