"""Settings pages by clicks: what they send fits the desk's routes, lists are searched, the notice is where it belongs.

Forms that open in a dialog are run by themselves: AppTest runs a whole page at each click, which closes the dialog.
"""

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from aircall_core.desk import blocklist, company, schedules, tag_settings
from aircall_core.service import admin, hours, tags
from aircall_core.service import blocklist as blocklist_routes
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
