"""The live parts inside the real console: one node through every page, over its dialogs, nothing from elsewhere."""

import json

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import update

from aircall_core.desk.secrets import open_box
from aircall_core.ids import new_id
from aircall_core.messaging import webhook
from aircall_core.store import tables as t
from aircall_core.store.queries import flows
from tests.browser.kit import Office, no_violations, online, pick, ringer, talking, toolbar
from tests.support.fake_texts import PNG
from tests.support.text_gateway import SECRET, add_account, text_gateway

pytestmark = [pytest.mark.browser, pytest.mark.sip, pytest.mark.timeout(300)]
ENGINE_ONLY = True
LIVE = ("link", "ringer", "toolbar", "duty")


def mark(page: Page) -> None:
    """Write our name on the shadow roots of the live parts."""
    page.evaluate(
        """names => { for (const name of names) {
          const host = document.querySelector(`.st-key-${name} [data-testid=stBidiComponentIsolated]`);
          host.shadowRoot.querySelector('.host').dataset.seen = 'yes'; } }""",
        LIVE,
    )


def marked(page: Page) -> list[str]:
    """The live parts that still bear it."""
    found: list[str] = page.evaluate(
        """names => names.filter(name => document.querySelector(
          `.st-key-${name} [data-testid=stBidiComponentIsolated]`)?.shadowRoot.querySelector('.host')?.dataset.seen)""",
        LIVE,
    )
    return found


def test_the_live_parts_are_the_same_nodes_on_every_page(office: Office) -> None:
    seat = office.on_duty()
    page = seat.page
    mark(page)
    office.phone()
    ringer(page).get_by_role("button", name="Accept").click()
    talking(page)
    for link in ("Audio check", "Inbox"):
        page.get_by_role("link", name=link, exact=True).click()
        page.get_by_role("heading", name=link).wait_for()
        expect(toolbar(page)).to_be_visible()
    toolbar(page).get_by_role("button", name="Open conversation").click()
    page.get_by_role("region", name="Timeline").wait_for()
    page.wait_for_url("**/conversation?id=*")  # the browser's history knows of it: going back leads one page, not two
    page.go_back()
    page.get_by_role("heading", name="Inbox").wait_for()
    page.get_by_role("button", name="Collapse sidebar").click(force=True)
    expect(toolbar(page)).to_be_visible()
    toolbar(page).get_by_role("button", name="Hang up").click()
    expect(toolbar(page)).to_have_count(0)
    assert marked(page) == list(LIVE)
    assert seat.complaints == []


def test_a_call_can_be_taken_over_an_open_dialog(office: Office) -> None:
    admin = office.system.add_user("Dana Boss", role="administrator")
    office.users.append(admin)
    with office.system.store.write() as tx:
        tx.conn.exec_driver_sql(f"INSERT INTO line_users VALUES ('{office.line.id}', '{admin.id}')")  # noqa: S608  ids of ours
    seat = office.on_duty(len(office.users) - 1, "/users")
    page = seat.page
    page.get_by_role("button", name="Invite user").click()
    field = page.get_by_role("dialog").get_by_label("Name")
    field.fill("Half a na")
    office.phone()
    ringer(page).wait_for()
    ringer(page).get_by_role("button", name="Accept").click()
    talking(page)
    expect(field).to_have_value("Half a na")
    toolbar(page).get_by_role("button", name="Mute").click()
    expect(toolbar(page).get_by_role("button", name="Mute")).to_have_attribute("aria-pressed", "true")


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_axe_finds_nothing_of_ours_in_dialogs_and_unfolded_parts(office: Office, scheme: str, width: int) -> None:
    """What pages show when something is clicked; test_pages.py looks at the pages themselves."""
    admin = office.system.add_user(role="administrator")
    office.users.append(admin)
    seat = office.seat(len(office.users) - 1, viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = seat.page
    seat.open("/lines")
    page.get_by_role("button", name="Add line").click()
    page.get_by_role("dialog").get_by_label("Name").wait_for()
    no_violations(page, "/lines, its dialog")
    seat.open("/prompts")
    page.get_by_text("Prompts that come with the console").click()
    page.get_by_label("Language").wait_for()
    no_violations(page, "/prompts, those that come with the console")
    page.get_by_role("button", name="Add prompt").click()
    make = page.get_by_role("dialog").get_by_role("button", name="Make prompt")
    expect(make).to_have_css("color", "rgb(14, 20, 27)" if scheme == "dark" else "rgb(255, 255, 255)")
    for way in ("Upload", "Type a text", "Record"):
        page.get_by_role("dialog").get_by_text(way, exact=True).first.click()
        no_violations(page, f"/prompts, its dialog: {way}")
    assert seat.complaints == []


def test_an_empty_console_says_what_to_do(office: Office) -> None:
    seat = office.seat()
    page = seat.open()
    expect(page.get_by_text("Support").first).to_be_visible()
    expect(page.get_by_role("button", name="Go on duty")).to_be_visible()
    page.goto(f"{office.system.console_url}/conversation?id=nothing")
    online(page)
    expect(page.get_by_text("This conversation does not exist")).to_be_visible()


def test_a_call_flow_is_built_by_clicking(office: Office) -> None:
    admin = office.system.add_user("Flo Boss", role="administrator")
    office.users.append(admin)
    seat = office.seat(len(office.users) - 1)
    page = seat.open(f"/flows?line={office.line.id}")
    tree, side = page.locator(".st-key-flow_tree"), page.locator(".st-key-flow_side")
    expect(tree.get_by_role("button", name="Voicemail")).to_be_visible()
    tree.get_by_role("button", name="Add step").click()
    side.get_by_role("button", name="Menu").click()
    expect(page.get_by_role("button", name="Save")).to_be_disabled()
    expect(side.get_by_text("A menu needs at least one choice.")).to_be_visible()
    pick(side, "What callers hear", "Goodbye")
    pick(side, "Add a choice", "1")
    side.get_by_label("What key 1 is for").fill("Sales")
    side.get_by_label("What key 1 is for").press("Enter")
    tree.get_by_role("button", name="Add a step to 1 · Sales").click()
    side.get_by_role("button", name="Queue").click()
    expect(tree.get_by_role("button", name="Queue")).to_be_visible()
    expect(page.get_by_text("Unsaved changes")).to_be_visible()
    page.get_by_role("tab", name="Picture").click()
    drawing = page.get_by_role("img", name="Picture of the call flow")
    expect(drawing.get_by_text("1 · Sales")).to_be_visible()
    drawing.locator(".box.voicemail").click()
    page.get_by_role("tab", name="Steps").click()
    expect(side.get_by_label("Longest message in seconds")).to_be_visible()
    page.get_by_role("link", name="Tags", exact=True).click()
    page.get_by_role("heading", name="Tags").wait_for()
    page.get_by_role("link", name="Call flows", exact=True).click()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Version 1, saved by Flo Boss")).to_be_visible()
    with office.system.store.read() as conn:
        version, flow = flows.current(conn, office.line.id)
    assert version == 1
    assert [step.kind.value for step in flow] == ["ring", "menu", "queue", "voicemail"]
    no_violations(page, "/flows")
    page.get_by_role("tab", name="Versions").click()
    expect(page.get_by_text("in use")).to_be_visible()
    assert seat.complaints == []
    with office.system.store.write() as tx:
        tx.conn.exec_driver_sql("DELETE FROM flows")  # the other tests' line rings at once


def test_a_text_goes_from_the_page_through_the_gateway_and_is_kept_through_the_desks_end(office: Office) -> None:
    system, seat = office.system, office.seat()
    with text_gateway() as gateway:
        account = new_id()
        box = open_box(system.settings.data_dir, system.settings.secret_key)
        with system.store.write() as tx:
            add_account(tx, account, "webhook", box.seal(SECRET), url=gateway.url, private=True)
            tx.execute(update(t.lines).values(message_account_id=account))
        body = json.dumps({"id": "in-1", "from": "+33612345678", "to": office.line.number, "body": "Is it ready?"})
        signed = webhook.signed(SECRET, "in-1", body)
        assert system.http.post(f"{system.desk_url}/hooks/messages/{account}", content=body, headers=signed).is_success
        page = seat.open(f"/conversation?id={office.wait_for('message.received').event.conversation_id}")
        field = page.get_by_label("Text message")
        expect(page.get_by_text("Is it ready?").first).to_be_visible()
        page.locator("input[type=file]").set_input_files({"name": "a.png", "mimeType": "image/png", "buffer": PNG})
        expect(page.get_by_text("MMS", exact=True)).to_be_visible()
        field.fill("Yes")
        desk = system.kill("desk")
        field.press_sequentially(", come by at five")
        page.wait_for_function("window.__aircall.status === 'offline'")
        field.press("Enter")
        expect(page.get_by_text("Not sent: no connection.")).to_be_visible()
        system.wait_new("desk", desk, timeout=60)
        page.reload()
        online(page)
        expect(field).to_have_value("Yes, come by at five")
        field.press("Enter")
        gateway.wait_for(1)
        assert [one["body"] for one in gateway.got] == ["Yes, come by at five"]
        expect(field).to_have_value("")
        bubble = page.get_by_role("article").filter(has_text="Yes, come by at five")
        expect(bubble).to_contain_text("Sent")
        picture = bubble.get_by_role("img").element_handle()
        page.wait_for_function("(one) => one.naturalWidth > 0", arg=picture)  # from the desk, which is another origin
        assert seat.complaints == []
