"""What administrators set up: users, teams, lines, trunks, the company, and the steps to the first call."""

from typing import Any, Literal

from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from aircall_core import testcall
from aircall_core.desk import checklist, company, lines, links, people, sessions, teams, trunks, working
from aircall_core.desk.errors import not_found
from aircall_core.service.answers import Refused
from aircall_core.service.endpoint import Ask
from aircall_core.store import provisioning
from aircall_core.store.queries import lines as line_queries
from aircall_core.store.queries import people as people_queries
from aircall_core.store.queries import readiness

Text = Field(max_length=200)


class NewUser(BaseModel):
    """Somebody to invite."""

    name: str = Text
    email: str = Field(max_length=254)
    role: str = Text


class UserChange(BaseModel):
    """What is given is changed."""

    name: str | None = Field(None, max_length=200)
    email: str | None = Field(None, max_length=254)
    role: str | None = Field(None, max_length=20)
    state: Literal["active", "disabled"] | None = None
    wrap_up_s: int | None = None
    schedule_id: str | None = Field(None, max_length=26)  # '': none
    call_waiting: bool | None = None
    dial_cap: int | None = None  # -1: the company's


class NewTeam(BaseModel):
    """A team and the ids of its users."""

    name: str = Text
    users: list[str] = Field(default_factory=list, max_length=1000)


class TeamChange(BaseModel):
    """What is given is changed."""

    name: str | None = Field(None, max_length=200)
    users: list[str] | None = Field(None, max_length=1000)


class LineChange(BaseModel):
    """A line: what is given is set."""

    name: str | None = Field(None, max_length=200)
    number: str | None = Field(None, max_length=40)
    country: str | None = Field(None, max_length=2)
    language: str | None = Field(None, max_length=8)
    ring_s: int | None = None
    recording: str | None = Field(None, max_length=8)
    enabled: bool | None = None
    priority: int | None = None  # 1 is served first; 0 is none
    assignee_first_s: int | None = None
    tags_required: bool | None = None
    outbound_trunk_id: str | None = Field(None, max_length=26)  # '': none
    caller_id: str | None = Field(None, max_length=40)  # '': the line's number
    emergency: str | None = Field(None, max_length=8)
    dial_cap: int | None = None  # -1: the company's
    pause_on_hold: bool | None = None
    pause_notice: bool | None = None
    message_account_id: str | None = Field(None, max_length=26)  # '': no texts
    auto_close_min: int | None = None  # 0: never by itself
    users: list[str] | None = Field(None, max_length=1000)
    teams: list[str] | None = Field(None, max_length=1000)


class TrunkChange(BaseModel):
    """A trunk: what is given is set. An empty password keeps the one it has."""

    name: str | None = Field(None, max_length=200)
    kind: str | None = Field(None, max_length=16)
    enabled: bool | None = None
    transport: str | None = Field(None, max_length=4)
    host: str | None = Field(None, max_length=260)
    username: str | None = Field(None, max_length=80)
    password: str | None = Field(None, max_length=200)
    realm: str | None = Field(None, max_length=60)
    cidrs: list[str] | None = Field(None, max_length=200)
    outbound_host: str | None = Field(None, max_length=260)  # '': the registrar, or no calls out
    dial_format: str | None = Field(None, max_length=8)
    hold_by: str | None = Field(None, max_length=8)
    transfer_by: str | None = Field(None, max_length=8)


class Rollout(BaseModel):
    """The move to the new call experience."""

    state: str = Field(max_length=16)
    date: str | None = Field(None, max_length=10)


class CompanyChange(BaseModel):
    """What is given is changed. `start_trial` begins the trial of AI context, once."""

    name: str | None = Field(None, max_length=200)
    country: str | None = Field(None, max_length=2)
    timezone: str | None = Field(None, max_length=64)
    language: str | None = Field(None, max_length=8)
    plan: str | None = Field(None, max_length=16)
    add_ons: list[str] | None = Field(None, max_length=10)
    start_trial: bool | None = None
    rollout: Rollout | None = None
    auto_pause_after: int | None = None


class Tick(BaseModel):
    """A step that only a person can tick."""

    item: str = Text
    done: bool = True


class TestCall(BaseModel):
    """Call one of our own lines with the test phone."""

    line_id: str = Text


def _given(body: BaseModel) -> dict[str, Any]:
    return {key: value for key, value in body.model_dump(exclude_unset=True).items() if value is not None}


# ---- users


def list_users(ask: Ask) -> dict[str, Any]:
    """GET /desk/users"""
    with ask.desk.store.read() as conn:
        return {"users": people_queries.users_list(conn)}


def add_user(ask: Ask) -> tuple[int, dict[str, str]]:
    """POST /desk/users: 201 with the id and the invitation link, which is shown this once."""
    with ask.desk.store.write() as tx:
        user, token = people.invite(tx, ask.actor, **ask.body.model_dump())
    return 201, {"id": user, "link": links.address(ask.desk.settings, links.INVITE, token)}


def change_user(ask: Ask) -> dict[str, str]:
    """PATCH /desk/users/{user}"""
    given = _given(ask.body)
    work = {name: given.pop(name) for name in working.SETTINGS if name in given}
    with ask.desk.store.write() as tx:
        if work:  # first: it takes its turn before any row is changed
            working.change(tx, ask.actor, ask.id("user"), work)
        people.change(tx, ask.actor, ask.id("user"), **given)
    return {"id": ask.id("user")}


def user_link(ask: Ask) -> tuple[int, dict[str, str]]:
    """POST /desk/users/{user}/link: a new invitation, or a password reset for who has joined."""
    with ask.desk.store.write() as tx:
        purpose, token = people.new_link(tx, ask.id("user"))
    return 201, {"purpose": purpose, "link": links.address(ask.desk.settings, purpose, token)}


def sign_out_user(ask: Ask) -> dict[str, int]:
    """POST /desk/users/{user}/sign-out: end all sessions of a user."""
    with ask.desk.store.write() as tx:
        return {"ended": sessions.revoke_all(tx, ask.id("user"), ask.actor)}


# ---- teams


def list_teams(ask: Ask) -> dict[str, Any]:
    """GET /desk/teams"""
    with ask.desk.store.read() as conn:
        return {"teams": people_queries.teams_list(conn)}


def add_team(ask: Ask) -> tuple[int, dict[str, str]]:
    """POST /desk/teams"""
    with ask.desk.store.write() as tx:
        return 201, {"id": teams.create(tx, ask.actor, **ask.body.model_dump())}


def change_team(ask: Ask) -> dict[str, str]:
    """PATCH /desk/teams/{team}"""
    with ask.desk.store.write() as tx:
        teams.change(tx, ask.actor, ask.id("team"), **_given(ask.body))
    return {"id": ask.id("team")}


def remove_team(ask: Ask) -> None:
    """DELETE /desk/teams/{team}"""
    with ask.desk.store.write() as tx:
        teams.remove(tx, ask.actor, ask.id("team"))


# ---- lines


def list_lines(ask: Ask) -> dict[str, Any]:
    """GET /desk/lines"""
    with ask.desk.store.read() as conn:
        return {"lines": line_queries.lines_list(conn)}


def add_line(ask: Ask) -> tuple[int, dict[str, str]]:
    """POST /desk/lines"""
    with ask.desk.store.write() as tx:
        return 201, {"id": lines.create(tx, ask.actor, **_given(ask.body))}


def change_line(ask: Ask) -> dict[str, str]:
    """PATCH /desk/lines/{line}"""
    with ask.desk.store.write() as tx:
        lines.change(tx, ask.actor, ask.id("line"), **_given(ask.body))
    return {"id": ask.id("line")}


def remove_line(ask: Ask) -> None:
    """DELETE /desk/lines/{line}"""
    with ask.desk.store.write() as tx:
        lines.remove(tx, ask.actor, ask.id("line"))


# ---- trunks


def list_trunks(ask: Ask) -> dict[str, Any]:
    """GET /desk/trunks: no password leaves the store."""
    with ask.desk.store.read() as conn:
        return {"trunks": line_queries.trunks_list(conn)}


def add_trunk(ask: Ask) -> tuple[int, dict[str, str]]:
    """POST /desk/trunks"""
    with ask.desk.store.write() as tx:
        return 201, {"id": trunks.create(tx, ask.actor, ask.desk.box, **_given(ask.body))}


def change_trunk(ask: Ask) -> dict[str, str]:
    """PATCH /desk/trunks/{trunk}"""
    with ask.desk.store.write() as tx:
        trunks.change(tx, ask.actor, ask.desk.box, ask.id("trunk"), **_given(ask.body))
    return {"id": ask.id("trunk")}


def remove_trunk(ask: Ask) -> None:
    """DELETE /desk/trunks/{trunk}"""
    with ask.desk.store.write() as tx:
        trunks.remove(tx, ask.actor, ask.id("trunk"))


# ---- company, checklist, test call


def read_company(ask: Ask) -> dict[str, Any]:
    """GET /desk/company"""
    return company.read(ask.desk.store)


def change_company(ask: Ask) -> dict[str, Any]:
    """PATCH /desk/company"""
    with ask.desk.store.write() as tx:
        company.change(tx, ask.actor, _given(ask.body))
    return company.read(ask.desk.store)


def read_checklist(ask: Ask) -> dict[str, Any]:
    """GET /desk/checklist"""
    with ask.desk.store.read() as conn:
        return {"steps": [{"id": step, "done": done} for step, done in readiness.steps(conn).items()]}


def tick(ask: Ask) -> None:
    """POST /desk/checklist"""
    with ask.desk.store.write() as tx:
        checklist.tick(tx, ask.actor, ask.body.item, ask.body.done)


async def test_call(ask: Ask) -> tuple[int, dict[str, str]]:
    """POST /desk/testcall: the test phone calls one of our lines, never anything else. One call at a time."""
    number = await run_in_threadpool(_number_of, ask)
    async with ask.desk.test_calling:  # else two at once would both find none
        running = ask.desk.test_call
        if running is not None and running.poll() is None:
            raise Refused(409, "test_call_running", "A test call is running. It ends by itself within two minutes.")
        try:
            ask.desk.test_call = await run_in_threadpool(testcall.place_test_call, ask.desk.settings, number)
        except OSError:
            raise Refused(503, "test_phone", "The test phone could not be started on this machine.") from None
    return 202, {"line_id": ask.body.line_id}


def _number_of(ask: Ask) -> str:
    with ask.desk.store.read() as conn:
        line = provisioning.line(conn, ask.body.line_id)
    if line is None:
        raise not_found("The line")
    if not line["enabled"]:
        raise Refused(409, "line_off", "This line is switched off.")
    return str(line["number"])
