"""The live parts of the console in Chromium over a scripted desk: every state a user can meet, by role and name."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.support.audio import tone, write_wav
from tests.support.axe import Axe
from tests.support.chromium import chromium
from tests.support.fake_desk import FakeDesk
from tests.support.processes import eventually

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]
ENGINE_ONLY = False  # devices keep their ids over a reload
PARTS = ("ringer", "toolbar", "duty")


@pytest.fixture(scope="module")
def browser(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A Chromium with a microphone, shared by a file's tests; its engine only, unless `ENGINE_ONLY` denies."""
    wav = write_wav(tmp_path_factory.mktemp("mic") / "tone.wav", tone(440, 2, 48_000), 48_000)
    with chromium(microphone=wav, engine_only=getattr(request.module, "ENGINE_ONLY", True)) as found:
        yield found


@pytest.fixture
def desk() -> Iterator[FakeDesk]:
    """A desk that does what the test says."""
    with FakeDesk() as found:
        yield found


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser profile of the test's own, allowed to use the microphone."""
    made = browser.new_context(viewport={"width": 1280, "height": 800}, permissions=["microphone", "notifications"])
    made.set_default_timeout(20_000)
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A tab, whose uncaught errors fail the test."""
    made = context.new_page()
    complaints: list[str] = []
    made.on("pageerror", lambda error: complaints.append(str(error)))
    yield made
    assert complaints == []


def opened(page: Page, desk: FakeDesk, *parts: str, **data: Any) -> Page:
    """The page with the given parts (all live ones by default), connected."""
    page.goto(desk.url(*(parts or PARTS), **data))
    page.wait_for_function("window.ready && window.__aircall?.status === 'online'")
    return page


def ringer(page: Page) -> Locator:
    return page.get_by_role("alertdialog", name="Incoming call")


def toolbar(page: Page) -> Locator:
    return page.get_by_role("toolbar", name="Active call")


def sent(desk: FakeDesk, end: str) -> list[dict[str, object]]:
    return [body for path, body in desk.requests if path.endswith(end)]


# ---- the ringer


def test_a_ringing_call_shows_who_where_and_how_long(page: Page, desk: FakeDesk) -> None:
    opened(page, desk)
    desk.ring()
    card = ringer(page)
    expect(card).to_have_accessible_description("Marie Dupont 🇫🇷 01 99 00 12 34 Support Also ringing: Bo Lind")
    expect(card).to_contain_text("Support")
    expect(card.get_by_role("timer")).to_have_text("0:00")
    expect(card.get_by_role("timer")).to_have_text(re.compile("0:0[2-9]"), timeout=10_000)  # a look a second, at best
    for name in ("Accept", "Reject", "Open conversation"):
        expect(card.get_by_role("button", name=name)).to_be_visible()


def test_hidden_and_unnamed_callers(page: Page, desk: FakeDesk) -> None:
    opened(page, desk)
    desk.ring("call-1", name="", number="", country="", flag="", anonymous=True)
    desk.ring("call-2", name="")
    expect(ringer(page)).to_have_count(2)
    expect(ringer(page).nth(0)).to_contain_text("Hidden number")
    expect(ringer(page).nth(1)).to_contain_text("01 99 00 12 34")


def test_a_name_with_html_is_a_name(page: Page, desk: FakeDesk) -> None:
    opened(page, desk)
    evil = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>' + "A" * 4000
    desk.ring(name=evil)
    expect(ringer(page)).to_contain_text('<img src=x onerror="window.hacked=1">')
    box = ringer(page).bounding_box()
    assert box is not None
    assert box["width"] < 420
    assert box["height"] < 300
    assert page.evaluate("window.hacked") is None


def test_accept_connects_and_the_toolbar_takes_over(page: Page, desk: FakeDesk) -> None:
    opened(page, desk)
    desk.answers = False
    desk.ring()
    ringer(page).get_by_role("button", name="Accept").click()
    expect(ringer(page)).to_contain_text("Connecting…")
    (body,) = eventually(lambda: sent(desk, "/accept"), 10, "the accept")
    assert body["tab"] == page.evaluate("window.__aircall.tab")
    assert body["peer"] == page.evaluate("window.__aircall.phone.peerOf('call-1')")
    desk.event("call.accepting", "call-1", user="me", peer=body["peer"], tab="t", command=body["command"], deadline=0)
    expect(toolbar(page)).to_contain_text("Connecting…")
    expect(ringer(page)).to_have_count(0)
    expect(toolbar(page).get_by_role("button", name="Mute")).to_have_attribute("aria-disabled", "true")
    desk.event("call.answered", "call-1", user="me", answered_at=0, command=body["command"])
    expect(toolbar(page).get_by_role("button", name="Mute")).not_to_have_attribute("aria-disabled", "true")


def test_an_accept_that_fails_rings_on_and_says_why(page: Page, desk: FakeDesk) -> None:
    opened(page, desk)
    desk.answers = False
    desk.ring()
    ringer(page).get_by_role("button", name="Accept").click()
    (body,) = eventually(lambda: sent(desk, "/accept"), 10, "the accept")
    desk.event("call.accepting", "call-1", user="me", peer=body["peer"], tab="t", command=body["command"], deadline=0)
    desk.event("call.accept_failed", "call-1", user="me", reason="no_audio", command=body["command"])
    expect(page.get_by_text("Your audio did not arrive").first).to_be_visible()
    expect(ringer(page).get_by_role("button", name="Accept")).not_to_have_attribute("aria-disabled", "true")


def test_a_colleague_answers(page: Page, desk: FakeDesk) -> None:
    opened(page, desk)
    desk.ring()
    desk.event("call.accepting", "call-1", user="bo", peer="p", tab="t", command="c", deadline=0)
    expect(ringer(page)).to_contain_text("Bo Lind is answering…")
    expect(ringer(page).get_by_role("button", name="Accept")).to_have_attribute("aria-disabled", "true")
    desk.event("call.answered", "call-1", user="bo", answered_at=1, command="c")
    expect(ringer(page)).to_have_count(0)
    expect(page.get_by_role("listitem").filter(has_text="Taken by Bo Lind")).to_be_visible()


def test_the_loser_of_a_race_reads_who_won(page: Page, desk: FakeDesk) -> None:
    opened(page, desk)
    desk.ring()
    desk.refuse(
        "/desk/calls/call-1/accept", 409, "taken", "Bo Lind has taken this call.", by={"id": "bo", "name": "Bo Lind"}
    )
    ringer(page).get_by_role("button", name="Accept").click()
    expect(page.get_by_text("Taken by Bo Lind").first).to_be_visible()
    assert page.evaluate("window.__aircall.calls.owned") == []


def test_the_caller_gives_up(page: Page, desk: FakeDesk) -> None:
    opened(page, desk)
    desk.ring()
    expect(ringer(page)).to_be_visible()
    desk.event("call.ended", "call-1", outcome="abandoned", by="caller", ended_at=1)
    expect(ringer(page)).to_have_count(0)
    expect(page.get_by_role("listitem").filter(has_text="Marie Dupont hung up")).to_be_visible()


def test_reject_silences_this_user(page: Page, desk: FakeDesk) -> None:
    opened(page, desk)
    desk.ring()
    ringer(page).get_by_role("button", name="Reject").click()
    expect(ringer(page)).to_have_count(0)
    assert desk.view["calls"] == {}


def test_a_desk_that_is_away_is_an_error_on_the_card(page: Page, desk: FakeDesk) -> None:
    opened(page, desk)
    desk.ring()
    desk.refuse("/desk/calls/call-1/reject", 503, "store_away", "The database is away for a moment. Please try again.")
    ringer(page).get_by_role("button", name="Reject").click()
    expect(ringer(page)).to_contain_text("The database is away for a moment. Please try again.")
    expect(ringer(page).get_by_role("button", name="Reject")).not_to_have_attribute("aria-disabled", "true")


def test_several_calls_are_stacked_oldest_first(page: Page, desk: FakeDesk) -> None:
    opened(page, desk)
    for number, name in enumerate(("Ann One", "Ben Two", "Cora Three")):
        desk.ring(f"call-{number}", name=name)
    expect(ringer(page)).to_have_count(3)
    assert [ringer(page).nth(n).locator(".name").inner_text() for n in range(3)] == ["Ann One", "Ben Two", "Cora Three"]
    tops = [ringer(page).nth(n).evaluate("one => one.getBoundingClientRect().top") for n in range(3)]
    assert tops == sorted(tops)
    ringer(page).filter(has_text="Ben Two").get_by_role("button", name="Accept").click()
    expect(toolbar(page)).to_contain_text("Ben Two")
    expect(ringer(page)).to_have_count(2)


def test_who_types_goes_on_typing(page: Page, desk: FakeDesk) -> None:
    opened(page, desk)
    notes = page.get_by_label("Page text")
    notes.press_sequentially("half a sen")
    desk.ring()
    expect(ringer(page)).to_be_visible()
    page.keyboard.type("tence")
    expect(notes).to_have_value("half a sentence")
    page.keyboard.press("Alt+Shift+R")
    expect(ringer(page)).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(ringer(page).get_by_role("button", name="Reject")).to_be_focused()


def test_the_keyboard_goes_from_the_ringer_to_the_call(page: Page, desk: FakeDesk) -> None:
    opened(page, desk)
    desk.ring()
    expect(ringer(page)).to_be_visible()
    page.keyboard.press("Alt+Shift+R")
    for _ in range(3):
        page.keyboard.press("Tab")
    expect(ringer(page).get_by_role("button", name="Accept")).to_be_focused()
    page.keyboard.press("Enter")
    expect(toolbar(page).get_by_role("button", name="Mute")).to_be_focused()


def test_the_conversation_opens_while_it_rings(page: Page, desk: FakeDesk) -> None:
    opened(page, desk)
    desk.ring()
    ringer(page).get_by_role("button", name="Open conversation").click()
    assert page.evaluate("window.triggered") == [["ringer", "open", "conversation-1"]]
    expect(ringer(page)).to_be_visible()


def test_the_title_of_the_tab_calls_too(page: Page, desk: FakeDesk) -> None:
    opened(page, desk)
    desk.ring()
    page.wait_for_function("document.title.includes('Marie Dupont')")
    desk.event("call.ended", "call-1", outcome="abandoned", by="caller", ended_at=1)
    page.wait_for_function("document.title === 'Call desk'")


# ---- one ring


def sounding(page: Page) -> bool:
    return bool(page.evaluate("window.__aircall.tone.ringing"))


def test_two_tabs_ring_once_and_the_ring_moves(context: BrowserContext, page: Page, desk: FakeDesk) -> None:
    other = context.new_page()
    for one in (page, other):
        opened(one, desk)
        one.mouse.click(5, 5)  # a browser lets a page sound after a click
        one.wait_for_function("window.__aircall.tone.state === 'ok'")
    desk.ring()
    for one in (page, other):
        expect(ringer(one)).to_be_visible()
    eventually(lambda: [sounding(page), sounding(other)] == [True, False], 5, "one tone")
    page.close()
    eventually(lambda: sounding(other), 5, "the tone in the other tab")
    desk.tell({"t": "aloud", "browser": "a browser elsewhere"})
    eventually(lambda: not sounding(other), 5, "silence")


def test_a_reload_brings_the_ringer_back(page: Page, desk: FakeDesk) -> None:
    opened(page, desk)
    tab = page.evaluate("window.__aircall.tab")
    desk.ring()
    expect(ringer(page)).to_be_visible()
    page.reload()
    expect(ringer(page)).to_be_visible()
    assert page.evaluate("window.__aircall.tab") == tab


def test_blocked_sound_is_said_and_one_click_turns_it_on(page: Page, desk: FakeDesk) -> None:
    # A browser that captures a microphone also lets the page sound: here it does not capture.
    page.add_init_script("navigator.mediaDevices.getUserMedia = () => new Promise(() => {})")
    opened(page, desk)
    desk.ring()
    expect(ringer(page)).to_be_visible()
    page.get_by_role("button", name="Turn sound on").click()
    eventually(lambda: sounding(page), 5, "the tone")
    expect(page.get_by_role("button", name="Turn sound on")).to_have_count(0)


# ---- the call


def test_mute_follows_the_log(page: Page, desk: FakeDesk) -> None:
    opened(page, desk)
    desk.ring()
    ringer(page).get_by_role("button", name="Accept").click()
    mute = toolbar(page).get_by_role("button", name="Mute")
    expect(mute).to_have_attribute("aria-pressed", "false")
    mute.click()
    expect(mute).to_have_attribute("aria-pressed", "true")
    expect(toolbar(page)).to_contain_text("You are muted")
    desk.refuse("/desk/calls/call-1/mute", 503, "store_away", "Please try again.")
    mute.click()
    expect(toolbar(page).get_by_role("alert")).to_have_text("Please try again.")
    expect(mute).to_have_attribute("aria-pressed", "true")


def test_the_toolbar_keeps_its_size_in_every_state(page: Page, desk: FakeDesk) -> None:
    opened(page, desk)
    desk.ring()
    desk.event("call.accepting", "call-1", user="me", peer="p", tab="t", command="c", deadline=0)
    expect(toolbar(page)).to_contain_text("Connecting…")
    size = toolbar(page).bounding_box()
    desk.event("call.answered", "call-1", user="me", answered_at=1, command="c")
    expect(toolbar(page)).to_contain_text("In another tab or browser")
    assert toolbar(page).bounding_box() == size
    desk.event("call.agent_away", "call-1", user="me", reason="gateway")
    expect(toolbar(page)).to_contain_text("Reconnecting audio…")
    assert toolbar(page).bounding_box() == size


def test_arrow_keys_move_in_the_toolbar(page: Page, desk: FakeDesk) -> None:
    opened(page, desk)
    desk.ring()
    desk.answer()
    toolbar(page).get_by_role("button", name="Mute").focus()
    page.keyboard.press("ArrowRight")
    expect(toolbar(page).get_by_role("button", name="Hold")).to_be_focused()
    page.keyboard.press("End")
    expect(toolbar(page).get_by_role("button", name="Hang up")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(toolbar(page).get_by_role("button", name="Mute")).to_be_focused()


def test_nothing_covers_the_call_on_a_phone(page: Page, desk: FakeDesk) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    page.add_init_script(
        "navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('no', 'NotFoundError'); }"
    )
    desk.view["duty"] = False
    opened(page, desk)
    page.get_by_role("button", name="Go on duty").click()
    words = page.get_by_text("No microphone was found")
    expect(words).to_be_visible()
    desk.ring()
    desk.answer()
    page.evaluate("() => window.__aircall.toast('Something happened', {kind: 'error'})")
    expect(page.get_by_role("listitem").filter(has_text="Something happened")).to_be_visible()
    for one in (
        toolbar(page).get_by_role("button", name="Hang up"),
        words,
        page.get_by_role("button", name="Go on duty"),
    ):
        one.click(trial=True)  # fails when something else lies over it


def test_a_lost_call_says_so_and_stays_said(page: Page, desk: FakeDesk) -> None:
    opened(page, desk)
    desk.ring()
    desk.answer()
    expect(toolbar(page)).to_be_visible()
    desk.event("call.ended", "call-1", user="me", outcome="lost", by="system", ended_at=1)
    expect(toolbar(page)).to_have_count(0)
    note = page.get_by_role("listitem").filter(has_text="was lost")
    expect(note).to_be_visible()
    note.get_by_role("button", name="Close").click()
    expect(note).to_have_count(0)


# ---- duty


def test_going_on_duty_arms_everything_with_one_click(page: Page, desk: FakeDesk) -> None:
    desk.view["duty"] = False
    opened(page, desk)
    assert page.evaluate("window.__aircall.phone.mic") == "unknown", "nothing is asked for before the click"
    page.get_by_role("button", name="Go on duty").click()
    expect(page.get_by_role("button", name="Go off duty")).to_be_visible()
    page.wait_for_function("window.__aircall.device.armed")
    eventually(lambda: desk.beats[-1]["armed"], 10, "an armed beat")
    assert desk.beats[-1]["mic"] == "ok"
    assert desk.beats[-1]["sound"] == "ok"
    page.get_by_role("button", name="Go off duty").click()
    expect(page.get_by_role("button", name="Go on duty")).to_be_visible()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("NotAllowedError", "The microphone is blocked for this site"),
        ("NotFoundError", "No microphone was found"),
        ("NotReadableError", "Another program holds the microphone"),
    ],
)
def test_a_refused_microphone_is_explained_and_nobody_goes_on_duty(
    page: Page, desk: FakeDesk, error: str, words: str
) -> None:
    desk.view["duty"] = False
    page.add_init_script(
        f"navigator.mediaDevices.getUserMedia = async () => {{ throw new DOMException('no', '{error}'); }}"
    )
    opened(page, desk)
    page.get_by_role("button", name="Go on duty").click()
    expect(page.get_by_text(words)).to_be_visible()
    expect(page.get_by_role("button", name="Go on duty")).to_be_visible()
    assert sent(desk, "/desk/duty") == []


def test_refused_notifications_are_explained_and_duty_begins(browser: Browser, desk: FakeDesk) -> None:
    context = browser.new_context(permissions=["microphone"])
    page = context.new_page()
    page.add_init_script("Object.defineProperty(Notification, 'permission', {get: () => 'denied'})")
    desk.view["duty"] = False
    opened(page, desk)
    page.get_by_role("button", name="Go on duty").click()
    expect(page.get_by_text("Notifications are blocked")).to_be_visible()
    expect(page.get_by_role("button", name="Go off duty")).to_be_visible()
    context.close()


def test_duty_begins_while_the_question_for_notifications_stands_open(page: Page, desk: FakeDesk) -> None:
    page.add_init_script(
        "Object.defineProperty(Notification, 'permission', {get: () => 'default'});"
        "Notification.requestPermission = () => (window.asked = true, new Promise(() => {}));"
    )
    desk.view["duty"] = False
    opened(page, desk)
    page.get_by_role("button", name="Go on duty").click()
    expect(page.get_by_role("button", name="Go off duty")).to_be_visible()
    assert page.evaluate("window.asked")


# ---- devices


def test_devices_are_chosen_and_kept(page: Page, desk: FakeDesk) -> None:
    opened(page, desk, "devices")
    page.get_by_role("button", name="Allow the microphone").click()
    mic = page.get_by_role("combobox", name="Microphone")
    expect(mic).to_be_visible()
    label = mic.locator("option").nth(1).inner_text()
    mic.select_option(label=label)
    page.wait_for_function("window.__aircall?.phone?.chosen.mic")
    page.get_by_role("checkbox", name="Reduce echo and noise").uncheck()
    page.get_by_role("button", name="Ring once").click()
    eventually(lambda: sounding(page), 5, "the ring")
    eventually(lambda: not sounding(page), 10, "its end")
    page.reload()
    page.wait_for_function("window.ready && window.__aircall?.phone?.chosen.mic")
    page.get_by_role("button", name="Allow the microphone").click()
    expect(mic.locator("option:checked")).to_have_text(label)
    expect(page.get_by_role("checkbox", name="Reduce echo and noise")).not_to_be_checked()
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})
    assert found.violations_count == 0, found.generate_report()


# ---- the line to the desk


def test_a_broken_line_is_said_calmly_and_catches_up(page: Page, desk: FakeDesk) -> None:
    opened(page, desk)
    desk.drop()
    away = page.locator(".away")
    expect(away).to_have_text("Reconnecting…")
    expect(away).to_be_visible()
    desk.ring()  # unheard for now
    desk.open = True
    expect(ringer(page)).to_be_visible()
    expect(away).to_be_hidden()
    assert page.evaluate("window.__aircall.seq") == desk.seq


def test_an_ended_session_stops_everything(page: Page, desk: FakeDesk) -> None:
    opened(page, desk)
    desk.signed_in = False
    desk.tell({"t": "gone", "reason": "revoked"})
    gone = page.get_by_role("alertdialog", name="You are signed out")
    expect(gone).to_be_visible()
    expect(gone.get_by_role("link", name="Sign in")).to_be_focused()


# ---- components v2


def test_a_rerun_neither_draws_nor_subscribes_twice(page: Page, desk: FakeDesk) -> None:
    opened(page, desk, "ringer")
    for _ in range(5):
        page.evaluate("() => { window.remount(); }")
    desk.ring()
    expect(ringer(page)).to_have_count(1)
    page.evaluate("() => { window.cleanups.ringer(); }")
    expect(ringer(page)).to_have_count(0)


# ---- accessibility


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing(page: Page, desk: FakeDesk, theme: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    desk.ring("call-0", name="Ann One")
    desk.answer("call-0")
    desk.ring("call-1")
    desk.entries = timeline_entries(12)
    page.goto(desk.url(*PARTS, "timeline", theme=theme, conversation="conversation-1"))
    page.wait_for_function("window.ready && window.__aircall?.status === 'online'")
    expect(ringer(page)).to_be_visible()
    expect(toolbar(page)).to_be_visible()
    expect(page.get_by_text("Missed call").first).to_be_attached()
    desk.event("call.accepting", "call-1", user="bo", peer="p", tab="t", command="c", deadline=0)
    expect(ringer(page)).to_contain_text("is answering…")
    page.wait_for_timeout(300)  # axe reads colours: the 140 ms of the card's arrival must be over
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})
    assert found.violations_count == 0, found.generate_report()


# ---- the timeline


def timeline_entries(count: int, start: int = 1_700_000_000_000) -> list[dict[str, object]]:
    """Calls, each with an answer and an end or missed: three entries a call, one call an hour."""
    entries: list[dict[str, object]] = []
    for number in range(-(-count // 3)):
        at, call_id, missed = start + number * 3_600_000, f"old-{number}", number % 4 == 3
        anna = {"id": "me", "name": "Anna Berg"}
        call = {
            "id": call_id, "state": "ended", "outcome": "missed" if missed else "answered", "arrived_at": at,
            "answered_at": None if missed else at + 5000, "ended_at": at + 65_000,
            "answered_by": None if missed else anna, "rang": ["Anna Berg"], "recording": "off", "recordings": [],
        }  # fmt: skip
        one = {"call_id": call_id, "at": at, "who": None, "data": {}}
        entries += [
            {**one, "seq": 3 * number + 1, "kind": "call.arrived", "call": call},
            {**one, "seq": 3 * number + 2, "kind": "call.overflow" if missed else "call.answered", "who": anna,
             "data": {"reason": "timeout"}},
            {**one, "seq": 3 * number + 3, "kind": "call.ended",
             "data": {"by": "caller", "outcome": call["outcome"]}},
        ]  # fmt: skip
    return entries


def test_the_timeline_is_live(page: Page, desk: FakeDesk) -> None:
    desk.entries = timeline_entries(3)
    opened(page, desk, "timeline", conversation="conversation-1")
    timeline = page.get_by_role("region", name="Timeline")
    expect(timeline.get_by_role("article").last).to_be_visible()  # read: from here on it lives by events
    desk.ring()
    bubble = timeline.get_by_role("article").last
    expect(bubble).to_contain_text("Ringing")
    desk.answer(user="bo")
    expect(bubble).to_contain_text("Call in progress")
    expect(bubble).to_contain_text("by Bo Lind")
    expect(timeline).to_contain_text("Bo Lind answered")
    expect(timeline.get_by_role("article").last).to_be_in_viewport()
    eventually(lambda: sent(desk, "/read"), 5, "the mark as read")


def test_a_timeline_that_cannot_be_read_offers_another_try(page: Page, desk: FakeDesk) -> None:
    path = "/desk/conversations/conversation-1/timeline"
    desk.entries = timeline_entries(3)
    desk.refuse(path, 503, "store_away", "away")
    opened(page, desk, "timeline", conversation="conversation-1")
    expect(page.get_by_text("The timeline could not be loaded.")).to_be_visible()
    del desk.refusals[path]
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_text("Answered call")).to_be_visible()


def test_an_empty_timeline_says_so(page: Page, desk: FakeDesk) -> None:
    opened(page, desk, "timeline", conversation="conversation-1")
    expect(page.get_by_text("Nothing has happened in this conversation yet")).to_be_visible()
