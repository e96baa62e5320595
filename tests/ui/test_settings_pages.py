"""Settings pages by clicks: what they send fits the desk's routes, lists are searched, the notice is where it belongs.

Forms that open in a dialog are run by themselves: AppTest runs a whole page at each click, which closes the dialog.
"""

from typing import Any

import pytest
from cryptography.fernet import Fernet
from streamlit.testing.v1 import AppTest

from aircall_core.desk import (
    blocklist,
    company,
    contact_fields,
    dialling,
    do_not_call,
    insight_sources,
    schedules,
    tag_settings,
)
from aircall_core.desk.dialling import DialRefused
from aircall_core.desk.secrets import SecretBox
from aircall_core.domain.dialling import Why
from aircall_core.domain.insight_kinds import KINDS
from aircall_core.service import admin, contacts, hours, tags
from aircall_core.service import blocklist as blocklist_routes
from aircall_core.service import dialling as dialling_routes
from aircall_core.service import insights as insight_routes
from aircall_core.ui import search
from tests.support.desk_kit import Desk
from tests.ui.test_flow_editor import button
from tests.ui.test_pages import Sent, desk, fine, sent, shell

__all__ = ["desk", "sent"]  # fixtures
pytestmark = pytest.mark.timeout(180)
OFFICE: dict[str, Any] = {"name": "Office", "timezone": "Europe/Paris", "weekly": [[["09:00", "18:00"]]] * 7}


def field(at: AppTest, label: str) -> Any:
    """The text field with this label."""
    return next(one for one in at.text_input if one.label == label)


def shown(at: AppTest) -> str:
    """All that the page says."""
    return " ".join(str(one.value) for one in at.markdown)


def test_hours_are_written_as_people_write_them(desk: Desk, sent: Sent) -> None:
    def script() -> None:
        from aircall_core.ui.editors.schedule import FRESH, schedule_form

        schedule_form("hours-new", FRESH, {"timezone": "Europe/Paris", "country": "FR"})

    at = fine(AppTest.from_function(script).run())
    field(at, "Name").set_value("Night shift")
    field(at, "Monday").set_value("22-6")
    button(at, "Copy Monday to Friday").click().run()
    fine(at)
    field(at, "Hours").set_value("9-12")
    button(at, "Add day").click().run()
    field(at, "Sunday").set_value("whenever").run()
    assert "This is not understood: whenever" in shown(at).replace("\\", "")
    assert button(at, "Save").disabled
    field(at, "Sunday").set_value("24h").run()
    button(at, "Save").click().run()
    fine(at)
    method, path, body = sent[-1]
    assert (method, path) == ("POST", "/desk/schedules")
    made = hours.ScheduleChange.model_validate(body)
    assert made.weekly == [*[[["22:00", "06:00"]]] * 5, [], [["00:00", "24:00"]]]
    assert list((made.special or {}).values()) == [[["09:00", "12:00"]]]


def test_saved_hours_say_what_is_so_now(desk: Desk, sent: Sent) -> None:
    with desk.store.write() as tx:
        schedules.create(tx, "system", OFFICE | {"weekly": [[["00:00", "24:00"]]] * 7, "name": "Always"})
        schedules.create(tx, "system", OFFICE | {"weekly": [[]] * 7, "name": "Never", "country": "FR"})
    at = fine(shell(desk, page="settings/hours.py"))
    assert "Open now" in shown(at)
    assert "never open" in shown(at)
    at.text_input(key="search-hours").set_value("alw").run()
    assert "Always" in shown(at)
    assert "never open" not in shown(at)


def test_tags_are_made_and_archived(desk: Desk, sent: Sent) -> None:
    with desk.store.write() as tx:
        tag = tag_settings.create(tx, "system", name="Sale", color="#112233")
    at = fine(shell(desk, page="settings/tags.py"))
    button(at, "Archive").click().run()
    assert sent[-1] == ("PATCH", f"/desk/tags/{tag}", {"archived": True})

    def script() -> None:
        from aircall_core.ui.editors.tag import tag_form

        tag_form("tag-new", None, 1)

    at = fine(AppTest.from_function(script).run())
    field(at, "Name").set_value("Repair")
    button(at, "Save").click().run()
    fine(at)
    assert tags.NewTag.model_validate(sent[-1][2]).name == "Repair"


def test_contact_fields_are_made_moved_and_offer_choices(desk: Desk, sent: Sent) -> None:
    with desk.store.write() as tx:
        made = [contact_fields.create(tx, "system", {"name": name}) for name in ("Contract *no*", "Birthday")]
    at = fine(shell(desk, page="settings/contact_fields.py"))
    assert r"Contract \*no\*" in shown(at)
    assert [one.disabled for one in at.button if one.key and one.key.startswith("move-")] == [True, False, False, True]
    at.button(key=f"move-up-{made[1]}").click().run()
    assert sent[-1] == ("PATCH", f"/desk/contact-fields/{made[1]}", {"position": 0})
    assert contacts.FieldChange.model_validate(sent[-1][2]).position == 0

    def script() -> None:
        from aircall_core.ui.editors.contact_field import contact_field_form

        contact_field_form("field-new", None)

    at = fine(AppTest.from_function(script).run())
    assert not at.text_area
    field(at, "Name").set_value("Plan")
    at.selectbox[0].set_value("choice").run()
    at.text_area[0].set_value("Basic\n\nCare")
    button(at, "Save").click().run()
    fine(at)
    assert sent[-1][:2] == ("POST", "/desk/contact-fields")
    new = contacts.FieldChange.model_validate(sent[-1][2])
    assert (new.name, new.kind, new.choices) == ("Plan", "choice", ["Basic", "", "Care"])


def test_callers_are_blocked_and_found_in_any_spelling(desk: Desk, sent: Sent) -> None:
    with desk.store.write() as tx:
        company.change(tx, "system", {"name": "A", "country": "FR", "timezone": "UTC"})
        blocklist.add(tx, "system", number="+33612345678", note="Nuisance")
        blocklist.add(tx, "system", number="anonymous")
    at = fine(shell(desk, page="settings/blocklist.py"))
    at.text_input(key="search-blocklist").set_value("06 12 34").run()
    assert "Nuisance" in shown(at)
    assert "Withheld" not in shown(at)

    def script() -> None:
        from aircall_core.ui.editors.blocked import block_form

        block_form("block")

    at = fine(AppTest.from_function(script).run())
    field(at, "Number").set_value("06 99 99 99 99")
    button(at, "Block").click().run()
    assert blocklist_routes.NewEntry.model_validate(sent[-1][2]).number == "06 99 99 99 99"
    at.button_group[0].set_value("prefix").run()
    field(at, "Numbers that begin with").set_value("0899")
    button(at, "Block").click().run()
    assert blocklist_routes.NewEntry.model_validate(sent[-1][2]).number == "0899*"
    at.button_group[0].set_value("withheld").run()
    button(at, "Block").click().run()
    assert blocklist_routes.NewEntry.model_validate(sent[-1][2]).number == "anonymous"


def test_what_may_be_called_is_chosen_and_refusals_are_told(desk: Desk, sent: Sent) -> None:
    with desk.store.write() as tx:
        company.change(tx, "system", {"name": "A", "country": "FR", "timezone": "UTC"})
        do_not_call.add(tx, f"user:{desk.ids['Ann']}", "06 12 34 56 78", "Asked *twice*")
        for number, why in (("+33899123456", Why.PREMIUM), ("112", Why.EMERGENCY)):
            refused = DialRefused(why, desk.line, desk.ids["Ann"], number, {"number": number})
            dialling.note_refusal(tx, refused)
    at = fine(shell(desk, page="settings/dialling.py"))
    told = shown(at)
    assert r"Asked \*twice\*" in told
    assert "Ann · Support" in told
    assert ":orange-badge[premium rate]" in told
    assert ":red-badge[emergency number]" in told
    at.radio[0].set_value("chosen").run()
    at.multiselect[0].set_value(["DE", "FR"])
    next(one for one in at.number_input if one.label == "Calls out in 24 hours, each user").set_value(50)
    button(at, "Save").click().run()
    change = dialling_routes.DiallingChange.model_validate(sent[-1][2])
    assert (change.countries, change.user_cap, change.line_cap) == (["DE", "FR"], 50, 1000)
    at.radio[0].set_value("own").run()
    button(at, "Save").click().run()
    assert dialling_routes.DiallingChange.model_validate(sent[-1][2]).own_countries
    at.text_input(key="search-do-not-call").set_value("no such note").run()
    assert "Nothing here matches" in at.info[0].value

    def script() -> None:
        from aircall_core.ui.editors.dialling import number_form

        number_form("do-not-call")

    at = fine(AppTest.from_function(script).run())
    field(at, "Number").set_value("06 99 99 99 99")
    button(at, "Add number").click().run()
    assert dialling_routes.NewNumber.model_validate(sent[-1][2]).number == "06 99 99 99 99"


def test_lines_trunks_and_users_say_how_they_call_out(desk: Desk, sent: Sent) -> None:
    def trunk() -> None:
        from aircall_core.ui.editors.trunk import FRESH, trunk_form

        trunk_form("trunk-1", {**FRESH, "id": "1", "kind": "address"})

    at = fine(AppTest.from_function(trunk).run())
    field(at, "Address for calls out").set_value("192.0.2.10")
    next(one for one in at.selectbox if one.label == "Numbers are sent as").select("national")
    button(at, "Save").click().run()
    made = admin.TrunkChange.model_validate(sent[-1][2])
    assert (made.outbound_host, made.dial_format, made.hold_by, made.transfer_by) == (
        "192.0.2.10", "national", "bridge", "bridge"
    )  # fmt: skip

    def line() -> None:
        from aircall_core.ui.editors.line import FRESH, line_form

        trunks = [{"id": "t1", "name": "Carrier", "host": None, "outbound_host": "192.0.2.10"},
                  {"id": "t2", "name": "Deaf", "host": None, "outbound_host": None}]  # fmt: skip
        line_form("line-1", {**FRESH, "id": "1"}, [], [], home="FR", trunks=trunks)

    at = fine(AppTest.from_function(line).run())
    out = next(one for one in at.selectbox if one.label == "Trunk for calls out")
    assert out.options == ["None: this line does not call out", "Carrier"]
    out.select("t1")
    next(one for one in at.radio if one.label == "Emergency numbers").set_value("dial")
    button(at, "Save").click().run()
    change = admin.LineChange.model_validate(sent[-1][2])
    assert (change.outbound_trunk_id, change.emergency, change.dial_cap, change.caller_id) == ("t1", "dial", -1, "")


def test_what_is_off_says_why(desk: Desk, sent: Sent) -> None:
    at = fine(shell(desk, page="settings/plan.py"))
    assert "The add-on AI context is switched off" in shown(at)
    button(at, "Start 14-day trial").click().run()
    assert sent[-1] == ("PATCH", "/desk/company", {"start_trial": True})
    next(one for one in at.radio if one.label == "Plan").set_value("essentials")
    button(at, "Save").click().run()
    fine(at)
    assert admin.CompanyChange.model_validate(sent[-1][2]).plan == "essentials"
    with desk.store.write() as tx:
        company.change(tx, "system", {"plan": "essentials"})
    assert "It begins with Professional" in shown(at.run())


def test_the_announcement_stands_on_every_page_until_its_day(desk: Desk, sent: Sent) -> None:
    at = fine(shell(desk, page="settings/plan.py"))
    next(one for one in at.radio if one.label == "State").set_value("announced").run()
    at.button[-1].click().run()
    fine(at)
    told = admin.CompanyChange.model_validate(sent[-1][2]).rollout
    assert told is not None
    assert told.state == "announced"
    with desk.store.write() as tx:
        company.change(tx, "system", {"rollout": told.model_dump()})
    for role, page in (("agent", ""), ("administrator", "settings/tags.py"), ("analyst", "conversation.py")):
        assert "The new call experience comes on" in shown(fine(shell(desk, role, page))), page
    with desk.store.write() as tx:
        company.change(tx, "system", {"rollout": {"state": "on"}})
    assert "The new call experience comes on" not in shown(fine(shell(desk)))


def test_the_audit_log_is_read_and_searched(desk: Desk, sent: Sent) -> None:
    with desk.store.write() as tx:
        company.change(tx, f"user:{desk.ids['Ann']}", {"name": "ACME *bold*", "country": "FR", "timezone": "UTC"})
        tag_settings.create(tx, "system", name="Sale", color="#112233")
    at = fine(shell(desk, page="settings/audit.py"))
    assert "Tag created" in shown(at)
    assert r"ACME \*bold\*" in shown(at)
    at.text_input(key="search-audit").set_value("acme").run()
    assert "Tag created" not in shown(at)
    at.text_input(key="search-audit").set_value("nothing like it").run()
    assert "Nothing here matches" in at.info[0].value


def test_lines_and_trunks_tell_their_settings(desk: Desk, sent: Sent) -> None:
    at = fine(shell(desk, page="settings/lines.py"))
    assert "default flow" in shown(at)

    def script() -> None:
        from aircall_core.ui.editors.line import FRESH, line_form

        line_form("line-1", {**FRESH, "id": "1"}, [], [], home="FR")

    at = fine(AppTest.from_function(script).run())
    next(one for one in at.selectbox if one.label == "Priority").select(1)
    next(one for one in at.toggle if one.label == "A tag is needed after each call").set_value(True)
    button(at, "Save").click().run()
    fine(at)
    change = admin.LineChange.model_validate(sent[-1][2])
    assert (change.priority, change.tags_required, change.assignee_first_s) == (1, True, 0)
    at = fine(shell(desk, page="settings/lines.py"))
    at.text_input(key="search-lines").set_value("nowhere").run()
    assert "Nothing here matches" in at.info[0].value


@pytest.mark.parametrize(
    ("wanted", "texts", "found"),
    [
        ("", ("a",), True),
        ("ELODIE", ("Élodie Durand",), True),
        ("durand elodie", ("Élodie Durand",), True),
        ("06 12", ("+33612345678",), False),  # too short to be a number by itself
        ("0612", ("+33612345678",), True),
        ("+33 612", ("06 12 34 56 78",), False),
        ("sales", ("Support",), False),
    ],
)
def test_search(wanted: str, texts: tuple[str, ...], found: bool) -> None:
    assert search.matches(wanted, *texts) is found


def test_a_source_of_insight_cards_sends_what_its_kind_needs(desk: Desk, sent: Sent) -> None:
    def script() -> None:
        from aircall_core.ui.editors.insight_source import FRESH, source_form

        source_form("source-new", FRESH)

    at = fine(AppTest.from_function(script).run())
    field(at, "Name").set_value("Own rules")
    button(at, "Save").click().run()
    fine(at)
    made = insight_routes.SourceChange.model_validate(sent[-1][2])
    assert made.kind == "rules"
    assert made.settings is not None
    assert made.settings.lines[0].when == {"field": "contact.company", "is": "known", "value": ""}
    for kind in KINDS.values():
        at.selectbox[0].set_value(kind.name).run()
        fine(at)
        if kind.name == "http":
            next(one for one in at.selectbox if one.label == "Signs in with").set_value("header").run()
            field(at, "Header").set_value("X-Key")
        if kind.name not in ("rules", "posted"):
            field(at, "Address").set_value("https://crm.example")
            field(at, "Consumer secret" if kind.name == "salesforce" else "Token or password").set_value("t0ken")
        for name in kind.needs:
            label = {"client_id": "Consumer key", "email": "E-mail of the agent"}[name]
            field(at, label).set_value("desk@acme.example")
        field(at, "Name").set_value(f"A {kind.name}")
        button(at, "Save").click().run()
        fine(at)
        body = insight_routes.SourceChange.model_validate(sent[-1][2]).model_dump(exclude_none=True)
        with desk.store.write() as tx:  # and the desk agrees
            secret = insight_sources.made_secret(kind.name) or body.pop("secret", "")
            insight_sources.create(tx, "system", SecretBox(Fernet.generate_key()), **body, secret=secret)
    at = fine(shell(desk, page="settings/insights.py"))
    assert "A hubspot" in shown(at)
    assert "Not asked yet" in shown(at)
