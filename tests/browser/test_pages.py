"""The pages over a week of calls (the demo workspace): what they show, at every size, light and dark, for everybody."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Route, expect
from sqlalchemy import insert, select

from aircall_core.desk import company, contacts, demo, insight_sources, lines, message_accounts, messages, notes
from aircall_core.desk.secrets import open_box
from aircall_core.domain.events import Event
from aircall_core.ids import new_id, now_ms
from aircall_core.store import tables as t
from aircall_core.store.queries.company import everything
from tests.browser.kit import (
    AGENT_HZ,
    DESKTOP,
    PHONE,
    Office,
    browser_speaking,
    every_page,
    no_violations,
    ringer,
    settled,
    shot,
    still,
    talk_for,
    talking,
    toolbar,
)
from tests.support import inbox_kit
from tests.support.audio import has_tone, level, read_wav
from tests.support.axe import Axe
from tests.support.crm import Reply, StandIn
from tests.support.desk_system import Line, System, User
from tests.support.netns import NetNs
from tests.support.processes import eventually

pytestmark = [pytest.mark.browser, pytest.mark.sip, pytest.mark.timeout(300)]

CUSTOMER = "+33612345601"  # Claire Fontaine, a contact of the demo
DEVICES: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": DESKTOP},
    "phone": {"viewport": PHONE, "is_mobile": True, "has_touch": True},
}
BACKGROUNDS: dict[Literal["light", "dark"], str] = {"light": "rgb(255, 255, 255)", "dark": "rgb(18, 22, 27)"}


@pytest.fixture(scope="module")
def site(netns: NetNs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """The demo workspace, with the administrator first, then two agents."""
    folder: Path = tmp_path_factory.mktemp("demo")
    system = System(folder, console=True, accept_timeout_ms=10_000)
    demo.fill(system.store, system.settings)
    with system, browser_speaking(folder, engine_only=True) as browser:
        users = [demo_user(system, name) for name in ("alma", "anna", "ben")]
        with system.store.read() as conn:
            line_id, number = conn.exec_driver_sql("SELECT id, number FROM lines WHERE name = 'Customer service'").one()
        with system.store.write() as tx:
            tx.conn.exec_driver_sql("UPDATE lines SET ring_s = 240")
        yield Office(system, Line(line_id, number), users, browser)


def demo_user(system: System, name: str) -> User:
    """A user of the demo, yet to be let in."""
    email = f"{name}@demo.example"
    with system.store.read() as conn:
        row = conn.exec_driver_sql(f"SELECT id, name FROM users WHERE email = '{email}'").one()  # noqa: S608  ours
    return User(row[0], row[1], email)


@pytest.fixture
def office(site: Office, request: pytest.FixtureRequest) -> Iterator[Office]:
    """As the folder's, with everybody signed in by now."""
    for user in site.users:
        if not user.cookie[0]:
            site.system.let_in(user)
    yield site
    site.leave()


def test_every_page_fits_is_accessible_and_asks_nobody_but_this_installation(office: Office) -> None:
    """One walk for all that can be seen of a page at rest: light on a desktop, then dark at a phone's width."""
    seat = office.seat(**DEVICES["desktop"], bypass_csp=False)
    page, asked, refused = seat.page, set[str](), []
    seat.context.on("request", lambda request: asked.add(urlsplit(request.url).netloc))
    page.on("console", lambda one: refused.append(one.text) if "Content Security Policy" in one.text else None)
    for path in every_page():
        page.set_viewport_size(DESKTOP)
        page.emulate_media(color_scheme="light")
        seat.open(path if path != "/conversation" else f"/conversation?id={a_conversation(office)}")
        page.get_by_role("heading", level=1).first.wait_for()
        at_rest(page, path, "desktop-light")
        page.set_viewport_size(PHONE)
        scheme(page, "dark")
        at_rest(page, path, "phone-dark")
    own = {urlsplit(office.system.console_url).netloc, urlsplit(office.system.desk_url).netloc, ""}
    assert asked - own == set()
    assert refused == []
    assert seat.complaints == []


def at_rest(page: Page, path: str, look: str) -> None:
    """The page as it is now fits and is accessible."""
    no_violations(page, f"{path}, {look}")
    fits(page)
    shot(page, f"page-{path[1:] or 'inbox'}-{look}")


def a_conversation(office: Office) -> str:
    """The id of one that has calls."""
    with office.system.store.read() as conn:
        wanted = "SELECT conversation_id FROM calls ORDER BY arrived_at LIMIT 1"
        return str(conn.exec_driver_sql(wanted).scalar_one())


@pytest.fixture
def crm(office: Office) -> Iterator[StandIn]:
    """The company's CRM, which is asked who calls."""
    body = {"stage": "Gold customer", "url": "https://crm.example/7"}
    line = {"type": "title", "text": "{{answer.stage}}", "link": "{{answer.url}}"}
    store, box = office.system.store, open_box(office.system.settings.data_dir)
    with StandIn(Reply(body=body)) as server:
        address = f"{server.address}/who?number={{{{number}}}}"
        with store.write() as tx:
            source = insight_sources.create(
                tx, "system", box, name="Our CRM", kind="http",
                settings={"address": address, "private": True, "lines": [line]},
            )  # fmt: skip
        yield server
        with store.write() as tx:
            insight_sources.remove(tx, "system", source)


@pytest.mark.parametrize("device", DEVICES)
def test_a_call_at_every_size(office: Office, crm: StandIn, device: str) -> None:
    seat = office.on_duty(**DEVICES[device])
    page = seat.page
    office.phone(caller=CUSTOMER)
    ringer(page).wait_for()
    expect(ringer(page)).to_contain_text("Claire Fontaine")
    expect(ringer(page).get_by_role("link", name="Gold customer")).to_have_attribute("href", "https://crm.example/7")
    assert [one.query for one in crm.asked] == [{"number": CUSTOMER}]
    for scheme in schemes(page):
        shot(page, f"ringer-{device}-{scheme}")
        accessible(page, f"ringer, {scheme}")
    ringer(page).get_by_role("button", name="Accept").click()
    talking(page)
    talk_for(page, 2)
    expect(toolbar(page).get_by_role("group", name="Insight card")).to_be_visible()
    for scheme in schemes(page):
        shot(page, f"call-{device}-{scheme}")
        fits(page)
        accessible(page, f"call, {scheme}")
    toolbar(page).get_by_role("button", name="Open conversation").click()
    page.get_by_role("heading", name="Claire Fontaine").wait_for()
    entry = page.get_by_role("region", name="Timeline").get_by_text("Call in progress").last
    expect(entry).to_be_visible()
    still(page)
    entry.evaluate("one => one.scrollIntoView({block: 'center'})")  # a phone has no room for all above it
    newest, bar = entry.bounding_box(), toolbar(page).bounding_box()
    assert newest is not None
    assert bar is not None
    beside = newest["x"] >= bar["x"] + bar["width"]
    assert beside or newest["y"] + newest["height"] <= bar["y"], "the newest entry is not behind the toolbar"
    for scheme in schemes(page):
        shot(page, f"conversation-{device}-{scheme}")
        fits(page)
        accessible(page, f"conversation, {scheme}")
    toolbar(page).get_by_role("button", name="Hang up").click()
    expect(toolbar(page)).to_be_hidden()


def test_unread_and_missed_are_marked_until_they_are_read(office: Office) -> None:
    seat = office.on_duty()
    page = seat.page
    missed = office.phone(caller="+33612345602")
    ringer(page).wait_for()
    missed.hang_up()
    expect(ringer(page)).to_be_hidden()
    row = page.get_by_role("list", name="Conversations").get_by_role("listitem").first
    expect(row).to_contain_text("Jules Moreau")
    expect(row).to_contain_text("Caller hung up before an answer")
    expect(row).to_contain_text("unread")
    page.get_by_role("button", name="Filters").click()
    page.get_by_role("combobox", name="Type").select_option("missed")
    page.keyboard.press("Escape")
    expect(row).to_contain_text("Jules Moreau")
    settled(page)
    shot(page, "inbox-missed")
    row.get_by_role("link").first.click()
    page.get_by_role("heading", name="Jules Moreau").wait_for()
    expect(page.get_by_text("Caller hung up before an answer").last).to_be_visible()
    eventually(lambda: not unread(office, "+33612345602"), 20, "the conversation being read")
    page.get_by_role("link", name="Inbox").first.click()
    page.get_by_role("heading", name="Inbox").wait_for()
    expect(row).to_contain_text("Jules Moreau")
    expect(row.locator(".unread")).to_be_hidden()


def unread(office: Office, party: str) -> bool:
    """Whether the first user has something to read in the conversation with this number."""
    with office.system.store.read() as conn:
        rows = inbox_kit.listed(conn, office.users[0].id, "administrator", limit=100)
    return any(row["unread"] for row in rows if (row["party"], row["line"]) == (party, "Customer service"))


def test_five_thousand_entries_open_at_the_newest_and_go_back_to_the_first(office: Office) -> None:
    store = office.system.store
    with store.read() as conn:
        wanted = "SELECT id, conversation_id FROM calls ORDER BY arrived_at LIMIT 1"
        call_id, conversation_id = conn.exec_driver_sql(wanted).one()
    for start in range(0, 5000, 500):
        with store.write() as tx:
            for number in range(start, start + 500):
                kind = ("call.agent_away", "call.agent_back")[number % 2]
                tx.append(Event(
                    kind=kind, audience=f"line:{office.line.id}", actor="system", call_id=call_id,
                    conversation_id=conversation_id, line_id=office.line.id, user_id=office.users[1].id, data={},
                ))  # fmt: skip
    seat = office.seat()
    page = seat.open(f"/conversation?id={conversation_id}")
    timeline = page.get_by_role("region", name="Timeline")
    last = timeline.get_by_role("listitem").last
    expect(last).to_be_in_viewport()
    first_shown = entries(page)
    assert 0 < len(first_shown) <= 200, "only the newest are drawn"
    shot(page, "conversation-5000")
    timeline.hover()
    for _ in range(3):
        oldest = min(entries(page))  # not how many: what is far below is taken away again
        page.mouse.wheel(0, -100_000)
        page.wait_for_function(f"() => Math.min(...({ENTRIES})()) < {oldest}")
    assert min(entries(page)) < min(first_shown)
    assert seat.complaints == []


ENTRIES = """() => {
  const seqs = (root) => [...root.querySelectorAll('*')].flatMap((one) => [
    ...(one.matches('[data-seq]') ? [Number(one.dataset.seq)] : []), ...(one.shadowRoot ? seqs(one.shadowRoot) : [])]);
  return seqs(document);
}"""


def entries(page: Page) -> list[int]:
    """Places in the log of the timeline's entries that are drawn."""
    return list(page.evaluate(ENTRIES))


def schemes(page: Page) -> Iterator[Literal["light", "dark"]]:
    """The page in light and in dark, as it changes when the desktop does: it need not be loaded anew."""
    for one in BACKGROUNDS:
        scheme(page, one)
        yield one


def scheme(page: Page, name: Literal["light", "dark"]) -> None:
    """The desktop goes light or dark, and the page with it."""
    page.emulate_media(color_scheme=name)
    expect(page.get_by_test_id("stApp")).to_have_css("background-color", BACKGROUNDS[name])
    settled(page)


def fits(page: Page) -> None:
    """Nothing makes the page scroll sideways."""
    wide, inner = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert wide <= inner, f"{page.url}: {wide} px in {inner}"


def accessible(page: Page, name: str) -> None:
    """axe finds nothing serious; Streamlit's navigation, whose lists hold more than list items, is not ours to mend."""
    still(page)
    context = {"exclude": [["[data-testid=stSidebarNavItems]"]]}
    found = Axe().run(page, context, options={"resultTypes": ["violations"]}).response["violations"]
    grave = [
        f"{one['id']}: {one['help']}: {[node['html'][:200] for node in one['nodes'][:3]]}"
        for one in found
        if one["impact"] in ("serious", "critical")
    ]
    assert grave == [], f"{name or 'inbox'}: " + "\n".join(grave)


def test_a_prompt_is_recorded_then_typed_then_heard_and_removed(office: Office) -> None:
    seat = office.seat()
    page = seat.open("/prompts")
    page.get_by_role("button", name="Add prompt").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Recorded here")
    dialog.get_by_role("button", name="Record", exact=True).last.click()
    talk_for(page, 2)
    with page.expect_response(lambda one: "upload_file" in one.url and one.request.method == "PUT"):
        dialog.get_by_role("button", name="Stop recording").click()
    dialog.get_by_role("button", name="Clear recording").wait_for()
    dialog.get_by_role("button", name="Make prompt").click()
    expect(page.get_by_text("recorded by Alma Keller")).to_be_visible()

    page.get_by_role("button", name="Add prompt").click()
    dialog.get_by_text("Type a text").click()
    dialog.get_by_label("Name").fill("Typed here")
    dialog.get_by_role("button", name="Make prompt").click()
    expect(dialog.get_by_text("There is no text to speak.")).to_be_visible()
    dialog.get_by_label("Text", exact=True).fill("Welcome. For sales, press one.")
    dialog.get_by_role("button", name="Make prompt").click()
    expect(page.get_by_text("spoken text by Alma Keller")).to_be_visible()

    with office.system.store.read() as conn:
        rows = conn.exec_driver_sql("SELECT name, path, duration_ms FROM prompts").all()
    kept = {row.name: (row.path, row.duration_ms) for row in rows}
    path, duration_ms = kept["Recorded here"]
    (samples,), rate = read_wav(office.system.settings.data_dir / path)
    assert rate == 8000
    assert 1_000 < duration_ms < 3_500
    assert has_tone(samples[4000:8000], AGENT_HZ, rate), "the microphone's tone"
    assert level(samples[4000:8000]) == pytest.approx(-17, abs=3), "a tone of -20 dBFS RMS"

    page.get_by_role("button", name="Play").last.click()
    page.wait_for_function("() => [...document.querySelectorAll('audio')].some((one) => one.currentTime > 0.5)")
    page.get_by_label("Search prompts").fill("typed")
    page.get_by_label("Search prompts").press("Enter")
    expect(page.get_by_text("recorded by Alma Keller")).to_be_hidden()
    page.get_by_role("button", name="Edit").click()
    expect(dialog.get_by_text("Welcome. For sales, press one.")).to_be_visible()
    dialog.get_by_role("button", name="Remove").click()
    page.get_by_role("button", name="Yes, remove").click()
    expect(page.get_by_text("Nothing here matches")).to_be_visible()
    assert seat.complaints == []


def test_a_first_text_goes_out_once_though_its_answer_was_lost(office: Office) -> None:
    store = office.system.store
    number = "+33755500199"
    with store.write() as tx:
        company.change(tx, "system", {"add_ons": sorted({*everything(tx.conn)["add_ons"], "sms"})})
        account, _ = message_accounts.create(
            tx, "system", open_box(office.system.settings.data_dir), name="Ours", kind="webhook",
            settings={"url": "https://texts.example.com/"},
        )  # fmt: skip
        lines.change(tx, "system", office.line.id, message_account_id=account)
        contact = contacts.create(tx, "system", {"name": "Nora Neuf", "numbers": [{"number": number}]})
    page = office.seat().open(f"/contacts?id={contact}")
    page.get_by_role("button", name=re.compile("^Text .*55 50 01 99")).click()
    form = page.get_by_role("form")
    form.get_by_role("textbox").fill("Your car is ready.")
    way = "**/desk/lines/*/messages"

    def lost(route: Route) -> None:
        assert route.fetch().status == 202, "the desk has it"
        route.abort("connectionreset")

    page.route(way, lost)
    form.get_by_role("button", name="Send").click()
    expect(form.get_by_role("alert").filter(has_text="reach")).to_be_visible()
    shot(page, "first-text-lost")
    page.unroute(way)
    form.get_by_role("button", name="Send").click()
    page.get_by_role("heading", name="Nora Neuf").wait_for()
    expect(page.get_by_role("region", name="Timeline").get_by_text("Your car is ready.")).to_be_visible()
    settled(page)
    shot(page, "first-text")
    with store.read() as conn:
        wanted = f"SELECT count(*) FROM messages WHERE party = '{number}'"  # noqa: S608  ours
        assert conn.exec_driver_sql(wanted).scalar() == 1


def test_what_is_found_opens_at_its_place_and_the_way_back_leads_to_the_finds(office: Office) -> None:
    seat = office.seat()
    with office.system.store.write() as tx:
        account = new_id()
        values = {"name": "Hook", "kind": "webhook", "settings": {"url": "https://example.com/"}, "created_at": 1}
        tx.execute(insert(t.message_accounts).values(id=account, **values))
        text = messages.receive(
            tx, line_id=office.line.id, account_id=account, number=CUSTOMER,
            body="Do you have the child seat in stock?", remote_id=new_id(), at=now_ms(), actor="system",
        )  # fmt: skip
        conversation = tx.conn.scalar(select(t.messages.c.conversation_id).where(t.messages.c.id == text))
        notes.add(tx, str(conversation), office.users[1].id, "Wants the blue child seat", command="note-of-search")
    page = seat.open("/search")
    box = page.get_by_role("searchbox")
    results = page.get_by_role("list", name="Results").get_by_role("link")
    gone = page.get_by_text("This entry is not there any more.")
    expect(page.get_by_text("Find anything that was written")).to_be_visible()
    for kind, typed, found in (
        ("Contacts", "06 12 34 56 01", "Claire Fontaine"),
        ("Conversations", "06 12 34 56 01", "Claire Fontaine"),
        ("Texts", "child seat", "Do you have the child seat in stock?"),
        ("Notes", '"blue child"', "Wants the blue child seat"),
    ):
        page.get_by_role("button", name=kind, exact=True).click()
        box.fill(typed)
        first = results.filter(has_text=found).first
        expect(first.locator("mark" if kind in ("Texts", "Notes") else ".name").first).to_be_visible()
        first.click()
        if kind == "Contacts":
            page.wait_for_url("**/contacts?id=*")
            expect(page.get_by_role("heading", name="Last conversations")).to_be_visible()
        else:
            page.wait_for_url("**/conversation?id=*")
            expect(page.get_by_role("heading", level=1)).to_have_text("Claire Fontaine")
            expect(page.get_by_role("article").first).to_be_visible()
        if kind in ("Texts", "Notes"):
            expect(page.get_by_role("article").filter(has_text=found)).to_be_in_viewport()
        expect(gone).to_have_count(0)
        page.go_back()
        expect(box).to_have_value(typed)
        expect(results.filter(has_text=found).first).to_be_visible()
        expect(page.get_by_role("button", name=kind, exact=True)).to_have_attribute("aria-pressed", "true")
    box.fill("xyzzy")
    expect(page.get_by_text("Nothing found for")).to_be_visible()
    page.wait_for_url("**/search?text=xyzzy&kind=note")
    accessible(page, "search")
    page.get_by_role("button", name="Everything", exact=True).click()
    box.fill("child seat")
    expect(results.first).to_be_visible()
    page.route("**/desk/search?*", lambda route: route.abort())
    box.fill("saddle")
    expect(page.get_by_role("alert").filter(has=page.get_by_role("button", name="Try again"))).to_be_visible()
    expect(results).to_have_count(0)  # those of another question are not shown as if they were this one's
    page.unroute("**/desk/search?*")
    box.fill("child seat")
    expect(results.first).to_be_visible()
    expect(page.get_by_role("button", name="Try again")).to_have_count(0)
    assert seat.complaints == []
