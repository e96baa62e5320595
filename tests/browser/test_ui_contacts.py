"""Contacts in Chromium: the list, editing in place, merging and undoing, erasing, and names that try to be more."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from aircall_core.store import Store, open_store
from tests.browser.test_ui_states import browser, context, opened, page
from tests.support.axe import Axe
from tests.support.desk_kit import Desk
from tests.support.fake_contacts import FakeContacts
from tests.support.processes import eventually

__all__ = ["browser", "context", "page"]  # fixtures
pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]
PICTURES = Path(__file__).parents[1] / "artifacts"
HTML = "<img src=x onerror=window.hacked=1>"


@pytest.fixture
def desk(sqlite_url: str) -> Iterator[FakeContacts]:
    """Contacts that were asked for by tests, in a store of their own."""
    store: Store = open_store(sqlite_url)
    with FakeContacts(store) as found:
        yield found
    store.close()


def show(page: Page, desk: FakeContacts, **data: Any) -> None:
    opened(page, desk, "contacts", "toolbar", **{"contact": "", "writes": True, "leads": True, **data})


def test_from_the_first_contact_to_the_last(page: Page, desk: FakeContacts) -> None:
    show(page, desk)
    expect(page.get_by_text("No contacts yet")).to_be_visible()
    page.get_by_role("button", name="Add contact").click()
    form = page.get_by_role("form", name="Add contact")
    form.get_by_label("Name").fill("Zoë Müller")
    form.get_by_label("Number").fill("nobody")
    form.get_by_role("button", name="Add contact").click()
    expect(form.get_by_role("alert").filter(has_text="telephone number")).to_be_visible()
    expect(form.get_by_label("Name")).to_have_value("Zoë Müller")  # nothing typed is lost
    form.get_by_label("Number").fill("+33142685300")
    form.get_by_role("button", name="Add contact").click()
    card = page.get_by_role("region", name="Contact")
    card.get_by_role("button", name="Add a company").click()
    card.get_by_role("textbox", name="Company").fill("Acme")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Zoë Müller")).to_contain_text("Acme")
    card.get_by_role("button", name="Erase…").click()
    page.get_by_label("Type “Zoë Müller” to confirm").fill("Zoë")
    page.get_by_role("button", name="Erase for good").click()
    expect(page.get_by_role("alert").filter(has_text="exactly")).to_be_visible()
    page.get_by_label("Type “Zoë Müller” to confirm").fill("zoë müller")
    page.get_by_role("button", name="Erase for good").click()
    expect(page.get_by_text("No contacts yet")).to_be_visible()
    expect(page.get_by_text("Erasing:")).to_be_visible()


def test_merging_and_undoing(page: Page, desk: FakeContacts) -> None:
    zoe = desk.make(name="Zoë Müller", numbers=["+33142685300"])
    desk.make(name="Z. Müller", company="Acme", numbers=["+33142685301"])
    show(page, desk, contact=zoe)
    card = page.get_by_role("region", name="Contact")
    card.get_by_role("button", name="Merge with…").click()
    card.get_by_role("button", name="Z. Müller").click()
    expect(card.get_by_text("This can be undone")).to_be_visible()
    card.get_by_role("button", name="Merge", exact=True).click()
    expect(card.get_by_text("Z. Müller was merged in")).to_be_visible()
    expect(page.get_by_text("1 contact", exact=True)).to_be_visible()
    card.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("link", name="Z. Müller")).to_be_visible()
    expect(card.get_by_text("was merged in")).to_have_count(0)
    found = desk.shown(zoe)
    assert found is not None
    assert (found["company"], len(found["numbers"])) == ("", 1)


def test_a_colleague_is_not_overwritten_in_passing(page: Page, desk: FakeContacts) -> None:
    zoe = desk.make(name="Zoë Müller", company="Acme", numbers=["+33142685300", "+33142685301"])
    show(page, desk, contact=zoe)
    card = page.get_by_role("region", name="Contact")
    card.get_by_role("button", name="Edit: Company").click()
    desk.edit(zoe, company="Globex")  # a colleague's, while the field is open and nothing was typed
    expect(page.get_by_role("link", name="Zoë Müller")).to_contain_text("Globex")
    card.get_by_role("button", name="Edit: Name").click()  # the field is left
    expect(card.get_by_role("button", name="Edit: Company")).to_have_text("Globex")
    card.get_by_role("textbox", name="Name").fill("Zoe")
    desk.edit(zoe, name="Zoë M.", numbers=["+33142685301", "+33142685302"])
    card.get_by_role("textbox", name="Name").press("Enter")
    expect(card.get_by_role("alert").filter(has_text="It says now: “Zoë M.”")).to_be_visible()
    card.get_by_role("button", name="Keep theirs").click()
    expect(card.get_by_role("button", name="Edit: Name")).to_have_text("Zoë M.")
    card.get_by_role("button", name="Edit: Number 01 42 68 53 01").click()
    desk.edit(zoe, numbers=["+33142685302"])
    card.get_by_role("textbox", name="Number 01 42 68 53 01").fill("+33142685399")
    page.keyboard.press("Enter")
    card.get_by_role("button", name="Save mine").click()
    expect(card.get_by_role("button", name="Edit: Number 01 42 68 53 99")).to_be_visible()
    found = desk.shown(zoe)
    assert found is not None
    assert (found["company"], [one["number"] for one in found["numbers"]]) == (
        "Globex", ["+33142685302", "+33142685399"],
    )  # fmt: skip


def test_what_is_refused_after_one_has_gone_on_is_said_where_one_is(page: Page, desk: FakeContacts) -> None:
    zoe = desk.make(name="Zoë Müller", numbers=["+33142685300"])
    desk.make(name="Ben", numbers=["+33142685301"])
    held: list[Route] = []
    page.route(
        f"**/desk/contacts/{zoe}",
        lambda route: held.append(route) if route.request.method == "PATCH" else route.continue_(),
    )
    show(page, desk, contact=zoe)
    card = page.get_by_role("region", name="Contact")
    card.get_by_role("button", name="Add a company").click()
    card.get_by_role("textbox", name="Company").fill("Acme")
    page.get_by_role("link", name="Ben").click()  # leaving the field saves it
    expect(card.get_by_role("button", name="Edit: Name")).to_have_text("Ben")
    held[0].abort()
    expect(page.get_by_role("listitem").filter(has_text="Company: “Acme” was not saved.")).to_be_visible()


def test_what_a_number_is_and_who_is_served_first(page: Page, desk: FakeContacts) -> None:
    zoe = desk.make(name="Zoë", numbers=["+33142685300", "+33142685301"])
    show(page, desk, contact=zoe)
    card = page.get_by_role("region", name="Contact")
    label = "Label of 01 42 68 53 01"
    card.get_by_role("button", name=label).click()
    card.get_by_role("combobox", name=label).fill("mobile")
    page.keyboard.press("Enter")
    expect(card.get_by_role("button", name=f"Edit: {label}")).to_have_text("mobile")
    card.get_by_role("button", name="Set a priority").click()
    card.get_by_role("combobox", name="Priority in queues").select_option("1")
    expect(card.get_by_role("button", name="Edit: Priority in queues")).to_have_text("1, served first")
    found = desk.shown(zoe)
    assert found is not None
    assert ([one["label"] for one in found["numbers"]], found["priority"]) == (["", "mobile"], 1)
    show(page, desk, contact=zoe, leads=False)
    expect(card.get_by_text("1, served first")).to_be_visible()
    expect(card.get_by_role("button", name="Priority")).to_have_count(0)


def test_searching_paging_and_what_goes_wrong(page: Page, desk: FakeContacts) -> None:
    for at in range(120):
        desk.make(name=f"Person {at:03}", numbers=[f"+3314268{at:04}"])
    show(page, desk)
    expect(page.get_by_text("120 contacts")).to_be_visible()
    rows = page.locator("a.row")
    expect(rows).to_have_count(50)

    def all_there() -> bool:
        rows.last.scroll_into_view_if_needed()
        return rows.count() == 120

    eventually(all_there, 20, "all rows")
    first = next(one["id"] for one in desk.listed() if one["name"] == "Person 110")
    desk.edit(first, company="Globex")  # a colleague's work does not take the list away under one's eyes
    expect(page.get_by_role("link", name="Person 110")).to_contain_text("Globex")
    expect(rows).to_have_count(120)
    desk.make(name="Aaron")
    desk.event("contact.changed", None, contact="aaron", what="created")
    page.get_by_role("button", name="Show the list anew").click()
    expect(page.get_by_role("link", name="Aaron")).to_be_visible()
    expect(page.get_by_role("button", name="Show the list anew")).to_be_hidden()
    desk.refuse("/desk/contacts", 503, "store_away", "The database is away for a moment.")
    rows.last.scroll_into_view_if_needed()
    expect(page.get_by_text("The database is away")).to_be_visible()
    del desk.refusals["/desk/contacts"]
    before = rows.count()
    page.get_by_role("button", name="Try again").click()
    expect(rows).to_have_count(before + 50)  # it goes on where it stopped
    expect(page.get_by_text("The database is away")).to_be_hidden()
    page.get_by_role("searchbox").fill("person 07")
    expect(rows).to_have_count(10)
    page.get_by_role("searchbox").fill("xyzzy")
    expect(page.get_by_text("Nothing found for “xyzzy”")).to_be_visible()
    desk.refuse("/desk/contacts", 503, "store_away", "The database is away for a moment.")
    page.get_by_role("searchbox").fill("person 11")
    expect(page.get_by_text("The database is away")).to_be_visible()
    del desk.refusals["/desk/contacts"]
    page.get_by_role("button", name="Try again").click()
    expect(rows).to_have_count(10)


def test_names_are_words_and_analysts_only_look(page: Page, desk: FakeContacts) -> None:
    contact = desk.make(name=HTML, company=HTML, description=HTML, numbers=["+33142685300"], emails=["a@example.com"])
    show(page, desk, contact=contact, writes=False, leads=False)
    card = page.get_by_role("region", name="Contact")
    expect(card.get_by_text(HTML).first).to_be_visible()
    assert page.evaluate("window.hacked") is None
    for name in ("Erase…", "Merge with…", "Add contact", "Call", "Erase a number…"):
        expect(page.get_by_role("button", name=name)).to_have_count(0)


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 390)])
def test_axe_finds_nothing_of_ours(page: Page, desk: FakeContacts, theme: str, width: int) -> None:
    Desk.open(desk.store, "Ada").arrive("+33142685300")
    tier = desk.field(name="Tier", kind="choice", choices=["Gold", "Iron"])
    zoe = desk.make(
        name="Zoë Müller", company="Atelier Moreau", description="Prefers mornings.", numbers=["+33142685300"],
        emails=["zoe@example.com"], custom={tier: "Gold"},
    )  # fmt: skip
    desk.make(company="Acme", numbers=["+33142685301"])
    page.set_viewport_size({"width": width, "height": 844})
    for name, contact in (("list", ""), ("card", zoe)):
        show(page, desk, theme=theme, contact=contact)
        expect(page.locator("a.row" if not contact else ".item").first).to_be_visible()
        found = Axe().run(page, options={"rules": {"region": {"enabled": False}}})
        assert found.violations_count == 0, found.generate_report()
        page.screenshot(path=PICTURES / f"contacts-{name}-{width}-{theme}.png")
