"""What customers, files, CRMs and colleagues write is shown as they wrote it, and never runs.

Calls, conversations and searches are looked at twice: with the policy that forbids foreign scripts, and in a browser
told to ignore it, so that neither of the two defences hides a hole in the other.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import ConsoleMessage, Dialog, Page, expect
from sqlalchemy import insert, select, update

from aircall_core.desk import contact_fields, contacts, dial_lists, insights, messages, notes, tag_settings
from aircall_core.ids import new_id, now_ms
from aircall_core.store import tables as t
from aircall_core.store.calls import Owner
from tests.browser.kit import Office, every_page, online, ringer, settled, talking, toolbar
from tests.support.desk_kit import Desk
from tests.support.fake_texts import PNG

pytestmark = [pytest.mark.browser, pytest.mark.sip, pytest.mark.timeout(300)]
ENGINE_ONLY = True

RUNS = (
    "<img src=x onerror=window.__ran.push(1)>",
    "<script>window.__ran.push(2)</script>",
    '"><svg onload=window.__ran.push(3)>',
    "[x](javascript:window.__ran.push(4)) ![y](x) {{constructor}} ${window.__ran.push(5)} `a` **b** $c$ :red[d]",
)
EVIL = RUNS[0]
CUSTOMER = "+33612000666"
HTML_FILE, HTML_NAME = new_id(), f"Fh {EVIL} \u202egpj.html"  # by which ".html" reads as "lmth.jpg"
WITH_WORDS = (
    f"/search?text={RUNS[2]}",
    "/search?text=onerror",
    f"/conversation?id={RUNS[2]}",
    f"/contacts?id={RUNS[2]}",
)
"""Pages whose address holds something to show."""


@dataclass
class Planted:
    """Where the texts went."""

    conversation: str
    contact: str


@pytest.fixture(scope="module")
def planted(site: Office) -> Planted:
    """The same texts in every place that somebody else can write."""
    system = site.system
    admin = system.add_user(f"Al {EVIL}", role="administrator")
    site.users.append(admin)
    with system.store.write() as tx:
        tx.execute(update(t.lines).values(name=f"Li {EVIL}"))
        field = contact_fields.create(tx, "system", {"name": f"Fi {EVIL}", "kind": "text"})
        contact = contacts.create(tx, "system", {
            "name": f"Co {EVIL}", "company": f"Ltd {RUNS[1]}", "description": RUNS[3], "numbers": [CUSTOMER],
            "emails": [{"email": "a@example.com", "label": RUNS[2]}], "custom": {field: RUNS[1]},
        })  # fmt: skip
        tag_settings.create(tx, "system", name=f"Ta {RUNS[2]}"[:40], color="#2458c5")
        account = new_id()
        tx.execute(insert(t.message_accounts).values(
            id=account, name=f"Ac {EVIL}", kind="webhook", settings={"url": "https://example.com/"}, created_at=1,
        ))  # fmt: skip
        tx.execute(update(t.lines).values(message_account_id=account))
        for text in RUNS:
            message = messages.receive(
                tx, line_id=site.line.id, account_id=account, number=CUSTOMER, body=f"Me {text}", remote_id=new_id(),
                at=now_ms(), actor="system",
            )  # fmt: skip
        row = tx.conn.execute(t.messages.select().where(t.messages.c.id == message)).mappings().one()
        conversation = str(row["conversation_id"])
        path = system.settings.data_dir / "attachments" / "evil.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(PNG)
        tx.execute(insert(t.attachments).values(
            id=new_id(), message_id=message, conversation_id=conversation, name=f"Fn {EVIL}.png",
            content_type="image/png", size_bytes=len(PNG), path="attachments/evil.png", created_at=1,
        ))  # fmt: skip
        path.with_name("evil.html").write_text(RUNS[1])
        tx.execute(insert(t.attachments).values(
            id=HTML_FILE, message_id=message, conversation_id=conversation, name=HTML_NAME,
            content_type="text/html", size_bytes=len(RUNS[1]), path="attachments/evil.html", created_at=2,
        ))  # fmt: skip
        notes.add(tx, conversation, admin.id, f"No {EVIL}", command=new_id())
        tx.execute(insert(t.message_templates).values(
            id=new_id(), name=f"Te {EVIL}", body=f"Tb {RUNS[3]}", created_at=1,
        ))  # fmt: skip
        tx.execute(insert(t.teams).values(id=new_id(), name=f"Tm {EVIL}", created_at=1))
        tx.execute(insert(t.blocked_numbers).values(
            id=new_id(), pattern="+33600000000", note=f"Bl {EVIL}", created_at=1,
        ))  # fmt: skip
        lines = {"type": "title", "text": EVIL, "label": RUNS[1], "link": "", "email": ""}
        tx.execute(insert(t.insight_sources).values(
            id=new_id(), name=f"So {EVIL}"[:60], kind="rules", settings={"lines": [lines]}, created_at=1,
        ))  # fmt: skip
        dial_lists.create(tx, "system", name=f"Dl {EVIL}"[:60], line_id=site.line.id)
    desk = Desk(system.store, (), site.line.id)
    call = desk.arrive(CUSTOMER, from_display=EVIL).call_id
    led_through_a_menu(desk, call)
    desk.end(call)
    with system.store.write() as tx:
        tx.execute(insert(t.callbacks).values(
            id=new_id(), call_id=call, conversation_id=conversation, line_id=site.line.id, queue_id="q",
            number=CUSTOMER, queued_at=now_ms(), requested_at=now_ms(), state="waiting",
        ))  # fmt: skip
    return Planted(conversation, contact)


def led_through_a_menu(desk: Desk, call: str) -> None:
    """The caller pressed 1 and typed a number, in a flow whose labels somebody wrote."""
    desk.fact("chose", call, step="menu", key="1", label=f"Iv {EVIL}", at=now_ms())
    desk.fact("typed", call, step="digits", label=f"Dg {EVIL}", value="4711", at=now_ms())


@pytest.fixture(params=["policy", "no-policy"])
def looked(request: pytest.FixtureRequest, office: Office, planted: Planted) -> Iterator[tuple[Page, list[str]]]:
    """A page of the administrator, and what happened that must not."""
    seat = office.seat(len(office.users) - 1, bypass_csp=request.param == "no-policy")
    seat.context.add_init_script("window.__ran = []")
    wrong: list[str] = []

    def dialog(one: Dialog) -> None:
        wrong.append(f"dialog: {one.message}")
        one.dismiss()

    def said(one: ConsoleMessage) -> None:
        if "Content Security Policy" in one.text:
            wrong.append(one.text)

    seat.page.on("dialog", dialog)
    seat.page.on("console", said)
    yield seat.page, wrong
    assert wrong == []
    assert seat.complaints == []


def nothing_ran(page: Page, where: str) -> None:
    """No planted script has run, and none of the planted elements exists."""
    assert page.evaluate("window.__ran") == [], where
    made = page.evaluate(
        """() => { const found = [];
        const leads = ({name, value}) => name === 'href' && /^\\s*javascript:/i.test(value);
        const foreign = (one) => one.name.startsWith('on') || leads(one);
        const look = (root) => root.querySelectorAll('*').forEach((one) => {
          if ([...one.attributes].some(foreign)) found.push(one.outerHTML.slice(0, 120));
          if (one.shadowRoot) look(one.shadowRoot);
        });
        look(document); return found; }"""
    )
    assert made == [], where


@pytest.mark.parametrize("looked", ["no-policy"], indirect=True)
def test_no_page_runs_what_somebody_wrote(looked: tuple[Page, list[str]], office: Office, planted: Planted) -> None:
    """Every page without the policy, which could only hide a hole; that the policy hinders no page: test_pages.py."""
    page, _ = looked
    for path in (*every_page(), *WITH_WORDS):
        page.goto(f"{office.system.console_url}{path}")
        online(page)
        page.get_by_role("heading", level=1).first.wait_for()
        settled(page)
        nothing_ran(page, path)


def test_what_somebody_wrote_is_shown(looked: tuple[Page, list[str]], office: Office, planted: Planted) -> None:
    page, _ = looked
    console = office.system.console_url
    page.goto(f"{console}/search?text=onerror")
    expect(page.get_by_role("list", name="Results").get_by_role("listitem").first).to_contain_text("onerror")
    page.goto(f"{console}/")
    expect(page.get_by_role("list", name="Conversations").get_by_role("listitem").first).to_contain_text(f"Co {EVIL}")
    page.get_by_role("button", name="Callbacks").click()
    waiting = page.get_by_role("list", name="Callbacks")
    for label in ("Co", "Li", "Iv", "Dg"):
        expect(waiting).to_contain_text(f"{label} {EVIL}")
    nothing_ran(page, "the callbacks")
    page.goto(f"{console}/contacts?id={planted.contact}")
    expect(page.get_by_text(f"Co {EVIL}").first).to_be_visible()
    nothing_ran(page, "a contact's card")
    page.goto(f"{console}/conversation?id={planted.conversation}")
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Co {EVIL}")
    for text in RUNS:
        expect(page.get_by_role("article").filter(has_text=f"Me {text}").first).to_be_visible()
    expect(page.get_by_text(f"No {EVIL}").first).to_be_visible()
    expect(page.get_by_text(f"Ltd {RUNS[1]}").first).to_be_visible()
    expect(page.get_by_text(f"Fh {EVIL}").first).to_be_visible()
    file = office.system.get(office.users[-1], f"/desk/attachments/{HTML_FILE}")
    assert file.text == RUNS[1]
    assert file.headers["content-disposition"].startswith("attachment"), "a page of the desk's origin otherwise"
    assert "sandbox" in file.headers["content-security-policy"]
    nothing_ran(page, "the conversation")


def test_a_call_shows_what_was_written_and_runs_nothing(
    looked: tuple[Page, list[str]], office: Office, planted: Planted
) -> None:
    page, _ = looked
    seat = office.seats[0]
    with office.system.store.write() as tx:
        tx.execute(insert(t.line_users).values(line_id=office.line.id, user_id=seat.user.id).prefix_with("OR IGNORE"))
    seat.open("/")
    seat.go_on_duty()
    office.phone(caller=CUSTOMER, display=EVIL)
    expect(ringer(page)).to_contain_text(f"Co {EVIL}")
    expect(ringer(page)).to_contain_text(f"Li {EVIL}")
    call = str(office.wait_for("call.ringing").event.call_id)
    with office.system.store.read() as conn:
        owner = conn.execute(select(t.calls.c.owner_node, t.calls.c.owner_epoch).where(t.calls.c.id == call)).one()
    led_through_a_menu(Desk(office.system.store, (), office.line.id, owner=Owner(*owner)), call)
    posted = {"type": "title", "text": f"Pc {EVIL}", "label": f"Pl {RUNS[1]}"}
    with office.system.store.write() as tx:
        insights.post(tx, "desk", call, [posted])  # as a program does at /hooks/cards
    page.reload()  # a caller is led through the menu before it rings: what is known by then comes with the page
    for label in ("Iv", "Dg"):
        expect(ringer(page)).to_contain_text(f"{label} {EVIL}")
    expect(ringer(page)).to_contain_text(f"Pc {EVIL}")
    nothing_ran(page, "the ringer")
    ringer(page).get_by_role("button", name="Accept").click()
    talking(page)
    expect(toolbar(page)).to_contain_text(f"Co {EVIL}")
    nothing_ran(page, "the toolbar")


def test_a_script_that_gets_into_a_page_is_refused_by_the_browser(office: Office) -> None:
    page = office.seat(bypass_csp=False).open("/")
    refused = page.evaluate(
        """() => new Promise((done) => {
          document.addEventListener('securitypolicyviolation', (one) => done(one.effectiveDirective));
          document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=window.__ran=1>');
        })"""
    )
    assert refused == "script-src-attr"
    assert page.evaluate("window.__ran ?? 0") == 0
