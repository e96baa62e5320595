"""Every page runs for every role over a real store; what it sends to the desk is what the desk's routes take."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, update
from streamlit.testing.v1 import AppTest

from aircall_core.ids import new_id, now_ms
from aircall_core.service import admin
from aircall_core.service.retention import RetentionChange
from aircall_core.store import Store, calls, flows, prompts
from aircall_core.store import tables as t
from aircall_core.ui import client, data
from aircall_core.ui.format import plain
from tests.support.desk_kit import Desk, add_schedule

PAGES = Path(__file__).parents[2] / "pages"
EVERYBODY = ["inbox.py", "conversation.py"]
ADMINS = [
    "setup.py", "settings/company.py", "settings/users.py", "settings/teams.py", "settings/lines.py",
    "settings/trunks.py", "settings/dialling.py", "settings/flows.py", "settings/hours.py", "settings/tags.py",
    "settings/blocklist.py", "settings/plan.py", "settings/audit.py", "settings/prompts.py", "settings/retention.py",
    "settings/insights.py", "settings/contact_fields.py", "health.py", "reach.py",
]  # fmt: skip
pytestmark = pytest.mark.timeout(180)


class Sent(list[tuple[str, str, dict[str, Any]]]):
    """What pages sent to the desk, which answers as told."""

    refusal: client.Refused | None = None

    def take(
        self, method: str, path: str, body: dict[str, Any] | None = None, *, patience_s: float = 0
    ) -> dict[str, Any]:
        """Stands for client.send."""
        self.append((method, path, dict(body or {})))
        if self.refusal:
            raise self.refusal
        return {"id": "x", "link": "http://desk/session/join?token=t"}


@pytest.fixture
def desk(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A line with Ann, whose console this is."""
    from aircall_core.store import open_store

    with open_store(sqlite_url) as store:
        monkeypatch.setattr(data, "store", lambda: store)
        yield Desk.open(store, "Ann")


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    """What pages send."""
    found = Sent()
    monkeypatch.setattr(client, "send", found.take)
    return found


def sign_in(desk: Desk, role: str) -> str:
    """Ann's session with this role."""
    session, at = new_id(), now_ms()
    with desk.store.write() as tx:
        tx.execute(update(t.users).where(t.users.c.id == desk.ids["Ann"]).values(role=role))
        row = {"id": session, "token_hash": session, "user_id": desk.ids["Ann"], "created_at": at, "seen_at": at}
        tx.execute(insert(t.sessions).values(**row, expires_at=at + 600_000))
    return session


def shell(desk: Desk, role: str = "administrator", page: str = "") -> AppTest:
    """The console as this role sees it, run once, at a page."""
    at = AppTest.from_file(str(PAGES / "_shell.py"), default_timeout=60)
    at.user = {"id": desk.ids["Ann"], "session": sign_in(desk, role)}
    at.run()
    if page:
        at.switch_page(str(PAGES / page)).run()
    return at


def save(at: AppTest) -> Any:
    """The first form's button."""
    return next(one for one in at.button if one.label == "Save")


def fine(at: AppTest) -> AppTest:
    """No exception was shown."""
    assert not at.exception, [one.value for one in at.exception]
    return at


@pytest.mark.parametrize("page", EVERYBODY + ADMINS)
def test_every_page_runs_for_administrators(desk: Desk, page: str) -> None:
    desk.end(desk.arrive().call_id)
    fine(shell(desk, "administrator", page))


@pytest.mark.parametrize(
    ("role", "settings"),
    [("supervisor", ["settings/dialling.py", "settings/messaging.py"]), ("agent", []), ("analyst", [])],
)
def test_other_roles_have_no_settings_but_whom_nobody_calls_and_templates(
    desk: Desk, role: str, settings: list[str]
) -> None:
    fine(shell(desk, role))
    for page in EVERYBODY:
        fine(shell(desk, role, page))
    from aircall_core.ui import navigation

    files = [file for section in navigation.outline(role).values() for file, _, _ in section]
    assert [file for file in files if file.startswith("settings/")] == settings
    assert not {"setup.py", "health.py", "reach.py"} & set(files)
    for page in settings:
        at = fine(shell(desk, role, page))
        assert "Rules" not in [tab.label for tab in at.tabs]
        assert "Add account" not in [button.label for button in at.button]


def test_the_shell_stands_before_the_page_in_a_fixed_order(desk: Desk) -> None:
    at = fine(shell(desk))
    main = [element.proto.component_name for element in at.main if element.type == "bidi_component"]
    side = [element.proto.component_name for element in at.sidebar if element.type == "bidi_component"]
    assert [name.rsplit("_", 1)[-1] for name in main[:2]] == ["link", "ringer"]
    assert [name.rsplit("_", 1)[-1] for name in side] == ["toolbar", "duty", "notifications", "keys"]


def test_a_revoked_session_sees_nothing_at_its_next_click(desk: Desk) -> None:
    at = fine(shell(desk))
    with desk.store.write() as tx:
        tx.execute(update(t.sessions).values(revoked_at=now_ms()))
    at.run()
    assert not at.title
    assert "session has ended" in at.info[0].value


def test_a_store_that_is_away_is_said_on_the_page(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object, **__: object) -> object:
        raise data.NotReady("away")

    at = fine(shell(desk))
    monkeypatch.setattr(data, "read", away)
    at.run()
    fine(at)
    assert "database is away" in at.warning[0].value


def test_a_store_that_goes_away_while_a_page_is_made_is_said_too(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    read = data.read

    def breaks(query: Any, *args: Any, **kwargs: Any) -> Any:
        if query.__name__ in ("choices", "node_states"):
            raise data.NotReady("away")
        return read(query, *args, **kwargs)

    monkeypatch.setattr(data, "read", breaks)
    for page in ("inbox.py", "health.py"):
        at = fine(shell(desk, page=page))
        assert "database is away" in at.warning[-1].value


def test_a_foreign_conversation_is_not_shown(desk: Desk) -> None:
    with desk.store.write() as tx:
        tx.execute(t.line_users.delete())
    plan = desk.arrive(from_display="Secret Customer")
    at = AppTest.from_file(str(PAGES / "_shell.py"), default_timeout=60)
    at.user = {"id": desk.ids["Ann"], "session": sign_in(desk, "agent")}
    at.query_params["id"] = plan.conversation_id
    at.run()
    at.switch_page(str(PAGES / "conversation.py"))
    at.query_params["id"] = plan.conversation_id
    at.run()
    fine(at)
    assert "Secret" not in str(at.main)
    assert "not yours" in at.info[0].value


def test_a_conversation_has_its_parts_and_an_analyst_writes_nothing(desk: Desk) -> None:
    plan = desk.arrive(from_display="**Bold** <b>x</b>")
    for role, writes in (("agent", True), ("analyst", False)):
        at = AppTest.from_file(str(PAGES / "_shell.py"), default_timeout=60)
        at.user = {"id": desk.ids["Ann"], "session": sign_in(desk, role)}
        at.run()
        at.switch_page(str(PAGES / "conversation.py"))
        at.query_params["id"] = plan.conversation_id
        at.query_params["entry"] = "17"
        at.run()
        parts = {
            name: fine(at).get_by_key(f"{name}-{plan.conversation_id}") for name in ("header", "timeline", "snapshot")
        }
        assert '"name":"**Bold** <b>x</b>"' in parts["header"].proto.json.replace(": ", ":")
        assert '"entry":"17"' in parts["timeline"].proto.json.replace(": ", ":")
        assert (f"composer-{plan.conversation_id}" in str(at.main)) is writes


# ---- what is sent fits the desk's routes


def test_the_company_is_saved(desk: Desk, sent: Sent) -> None:
    at = shell(desk, page="settings/company.py")
    at.text_input[0].set_value("Berg & Co")
    save(at).click().run()
    fine(at)
    method, path, body = sent[-1]
    assert (method, path) == ("PATCH", "/desk/company")
    assert admin.CompanyChange.model_validate(body).name == "Berg & Co"


def test_the_pause_after_missed_calls_is_saved(desk: Desk, sent: Sent) -> None:
    at = shell(desk, page="settings/company.py")
    at.number_input[0].set_value(3)
    at.button[-1].click().run()
    fine(at)
    assert sent[-1] == ("PATCH", "/desk/company", {"auto_pause_after": 3})


def test_a_refused_field_shows_why_beside_it_and_keeps_what_was_typed(desk: Desk, sent: Sent) -> None:
    at = shell(desk, page="settings/company.py")
    sent.refusal = client.Refused("invalid", "Please check.", {"name": "Too long, please."})
    at.text_input[0].set_value("Berg & Co")
    save(at).click().run()
    fine(at)
    assert any(plain("Too long, please.") in one.value for one in at.markdown)
    assert at.text_input[0].value == "Berg & Co"
    assert not at.toast


def test_a_desk_that_is_away_is_said_and_nothing_lost(desk: Desk, sent: Sent) -> None:
    at = shell(desk, page="settings/company.py")
    sent.refusal = client.Refused("unreachable", "The desk is away.")
    at.text_input[0].set_value("Berg & Co")
    save(at).click().run()
    assert [one.value for one in fine(at).error] == [plain("The desk is away.")]
    assert at.text_input[0].value == "Berg & Co"


def add_prompt(desk: Desk, name: str, at: int = 1) -> str:
    """A company's prompt; its id."""
    prompt = new_id()
    with desk.store.write() as tx:
        prompts.add(
            tx.conn, id=prompt, name=name, kind="spoken", text="Welcome to Berg.", path=f"prompts/{prompt}.wav",
            duration_ms=65_400, created_at=at, created_by=desk.ids["Ann"],
        )  # fmt: skip
    return prompt


def button(at: AppTest, label: str) -> Any:
    """The first button that says this."""
    return next(one for one in at.button if one.label == label)


def test_prompts_are_found_by_what_they_say_and_where_they_are_played(desk: Desk, sent: Sent) -> None:
    played = add_prompt(desk, "Welcome")
    add_prompt(desk, "**Closed**")
    with desk.store.write() as tx:
        step = {"id": "a", "kind": "message", "prompt": {"prompt": played}}
        flows.add(tx.conn, line_id=desk.line, version=1, document={"steps": [step]}, created_at=1)
    at = fine(shell(desk, page="settings/prompts.py"))
    listed = [one.value for one in at.markdown if "spoken text" in one.value]
    assert len(listed) == 2
    assert r"\*\*Closed\*\*" in listed[0]
    assert "1:05" in listed[1]
    assert "Played on Support" in listed[1]
    at.text_input[0].set_value("support").run()
    assert [one.value for one in fine(at).markdown if "spoken text" in one.value] == [listed[1]]
    button(at, "Edit").click().run()
    assert "Support plays this prompt" in fine(at).info[0].value
    assert not [one for one in at.button if one.key == f"remove-{played}"], "it cannot be removed"


def test_a_shorter_time_for_recordings_says_what_is_lost_and_asks(desk: Desk, sent: Sent) -> None:
    call = desk.arrive().call_id
    with desk.store.write() as tx:
        for days in (40, 20):
            calls.add_recording(
                tx.conn, id=new_id(), call_id=call, path="recordings/x.wav", duration_ms=1, size_bytes=1_400_000,
                kind="call", created_at=tx.now_ms() - days * 86_400_000,
            )  # fmt: skip
    at = fine(shell(desk, page="settings/retention.py"))
    assert at.metric[0].value == "2"
    assert "2.8 MB" in " ".join(one.value for one in at.caption)
    at.number_input[0].set_value(30).run()
    assert "1 call recording" in fine(at).warning[0].value
    button(at, "Save").click().run()
    assert "Tick the box" in fine(at).error[0].value
    assert sent == []
    at.checkbox[0].check()
    button(at, "Save").click().run()
    assert sent == [("PATCH", "/desk/retention", {"recordings_days": 30, "voicemail_days": 0})]
    RetentionChange.model_validate(sent[0][2])


def test_how_a_user_works_and_whether_they_can_be_rung(desk: Desk, sent: Sent) -> None:
    with desk.store.write() as tx:
        schedule = add_schedule(tx, "Office hours", "09:00", "18:00")
    at = fine(shell(desk, page="settings/users.py"))
    assert any(re.search(r"Available · for \d+ s", one.value) for one in at.markdown)

    def dialog(user_id: str) -> None:  # AppTest runs the whole page at each click, and a dialog is gone by then
        from aircall_core.store.queries import people
        from aircall_core.ui import data
        from aircall_core.ui.editors.people import availability_switch, today, user_form

        (user,) = [one for one in data.read(people.users_list) if one["id"] == user_id]
        user_form("user", user)
        availability_switch(user)
        today(user, "Europe/Paris")

    ann = desk.ids["Ann"]
    at = AppTest.from_function(dialog, args=(ann,), default_timeout=60).run()
    at.number_input[0].set_value(30)
    at.selectbox[0].set_value(schedule)
    at.button[0].click().run()
    fine(at)
    method, path, body = sent[-1]
    assert (method, path) == ("PATCH", f"/desk/users/{ann}")
    change = admin.UserChange.model_validate(body)
    assert (change.wrap_up_s, change.schedule_id) == (30, schedule)
    assert at.button(f"choose-available-{ann}").disabled
    at.button(f"choose-unavailable-{ann}").click().run()
    fine(at)
    assert sent[-1] == ("POST", f"/desk/users/{ann}/availability", {"choice": "unavailable"})
    assert any("Available" in one.value for one in at.expander[0].markdown)


def test_the_test_call_goes_to_a_line_that_somebody_answers(desk: Desk, sent: Sent) -> None:
    at = shell(desk)
    next(one for one in at.button if one.label == "Place a test call").click().run()
    fine(at)
    assert sent == [("POST", "/desk/testcall", {"line_id": desk.line})]
    admin.TestCall.model_validate(sent[0][2])


def test_without_anybody_on_duty_the_test_call_says_what_to_do(desk: Desk, sent: Sent) -> None:
    with desk.store.write() as tx:
        tx.execute(update(t.users).values(on_duty=False))
    at = shell(desk)
    next(one for one in at.button if one.label == "Place a test call").click().run()
    assert "Go on duty first" in fine(at).warning[0].value
    assert sent == []


def test_the_checklist_leads_from_step_to_step(sqlite_url: str, monkeypatch: pytest.MonkeyPatch, sent: Sent) -> None:
    from aircall_core.store import open_store

    with open_store(sqlite_url) as store:
        monkeypatch.setattr(data, "store", lambda: store)
        desk = Desk(store, (), ids={"Ann": add_admin(store)})
        at = fine(shell(desk, page="setup.py"))
        assert at.expander[0].proto.expanded, "the company comes first"
        at = fine(shell(desk))
        assert at.get("progress")[0].proto.text == "0 of 6 done"


def add_admin(store: Store) -> str:
    """An administrator in an installation without lines."""
    from tests.support.desk_kit import add_user

    with store.write() as tx:
        return add_user(tx, "Ann", role="administrator")
