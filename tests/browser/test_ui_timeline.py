"""A long timeline in Chromium over a scripted desk: a window that slides, finding, filters, a deep link, the player."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.test_ui_states import opened
from tests.support.axe import Axe
from tests.support.chromium import chromium
from tests.support.fake_desk import ME, NAMES, FakeDesk
from tests.support.processes import eventually

START = 1_700_000_000_000
MINUTE = 60_000
ANNA = {"id": ME, "name": NAMES[ME]}
MOST = 330  # entries in the page, and what a day's heading adds


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium(engine_only=True) as one:
        yield one


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB")
    yield context.new_page()
    context.close()


@pytest.fixture
def desk() -> Iterator[FakeDesk]:
    with FakeDesk() as one:
        yield one


def text(seq: int, body: str = "", **more: Any) -> dict[str, Any]:
    """A text in or out, one every ten minutes."""
    at, out = START + seq * 10 * MINUTE, seq % 3 == 0
    message: dict[str, Any] = {
        "id": f"message-{seq}", "direction": "outbound" if out else "inbound",
        "state": "delivered" if out else "received",
        "body": body or f"Entry {seq}: " + "words and more words " * (seq % 7), "reason": None, "remote_code": None,
        "user": ANNA if out else None, "files": [], "at": at, "sent_at": at, "delivered_at": at,
    }  # fmt: skip
    kind = "message.written" if out else "message.received"
    one = {"seq": seq, "at": at, "kind": kind, "call_id": None, "conversation_id": "conversation-1", "who": None}
    return {**one, "data": {"message": message["id"]}, "message": message, **more}


def call(seq: int, **more: Any) -> dict[str, Any]:
    at = START + seq * 10 * MINUTE
    row = {
        "id": f"call-{seq}", "direction": "inbound", "state": "ended", "outcome": "answered", "arrived_at": at,
        "answered_at": at + 5000, "ended_at": at + 95_000, "answered_by": ANNA, "rang": [NAMES[ME]], "recording": "off",
        "recordings": [], "notes": [], **more,
    }  # fmt: skip
    one = {"seq": seq, "at": at, "kind": "call.arrived", "call_id": row["id"], "conversation_id": "conversation-1"}
    return {**one, "who": None, "data": {}, "way": "inbound", "call": row}


def of(page: Page) -> Locator:
    return page.get_by_role("region", name="Timeline")


def drawn(timeline: Locator) -> list[int]:
    return [int(one) for one in timeline.locator("li[data-seq]").evaluate_all("all => all.map(one => one.dataset.seq)")]


# While it scrolls: how many entries are in the page, whether the view is ever without one, how far what is read jumps.
_RIDE = """async (pane, [step, end]) => {
  const seen = {most: 0, blank: 0, jumps: 0, frames: 0};
  const frame = () => new Promise((done) => requestAnimationFrame(done));
  const place = () => {
    const box = pane.getBoundingClientRect();
    const all = [...pane.querySelectorAll('li[data-seq]')];
    const inside = all.filter((one) => {
      const b = one.getBoundingClientRect();
      return b.bottom > box.top && b.top < box.bottom;
    });
    seen.most = Math.max(seen.most, all.length);
    if (!inside.length) seen.blank += 1;
    return new Map(inside.map((one) => [one, one.getBoundingClientRect().top]));
  };
  let last = place();
  for (let i = 0; i < 4000; i += 1) {
    pane.scrollTop += step;
    last = place();
    await frame();
    await frame();
    const now = place();
    seen.frames += 1;
    for (const [one, top] of now) if (last.has(one) && Math.abs(top - last.get(one)) > 2) { seen.jumps += 1; break; }
    if (pane.querySelector(`li[data-seq='${end}']`)) break;
  }
  return seen;
}"""


def test_a_window_slides_over_thousands_of_entries_both_ways(page: Page, desk: FakeDesk) -> None:
    desk.entries = [text(seq) for seq in range(1, 2001)]
    opened(page, desk, "timeline", conversation="conversation-1", writes=True)
    timeline = of(page)
    expect(timeline.locator("li[data-seq='2000']")).to_be_in_viewport()
    assert len(drawn(timeline)) < 200
    for step, end in ((-1400, 1), (1400, 2000)):
        ride = timeline.evaluate(_RIDE, [step, end])
        assert ride["frames"] > 30, ride  # it was a ride, and not one leap
        assert (ride["blank"], ride["jumps"]) == (0, 0), ride
        assert ride["most"] <= MOST, ride
        seqs = drawn(timeline)
        assert seqs == sorted(set(seqs))
        assert end in seqs
    expect(timeline.locator("li[data-seq='1']")).to_have_count(0)


def test_new_entries_wait_below_for_who_reads_above(page: Page, desk: FakeDesk) -> None:
    desk.entries = [text(seq) for seq in range(1, 81)]
    opened(page, desk, "timeline", conversation="conversation-1", writes=True)
    timeline = of(page)
    expect(timeline.locator("li[data-seq='80']")).to_be_in_viewport()
    timeline.evaluate("pane => (pane.scrollTop -= 900)")
    page.wait_for_timeout(50)
    first = (
        "pane => [...pane.querySelectorAll('li[data-seq]')].map((one) => Math.round(one.getBoundingClientRect().top))"
    )
    before = timeline.evaluate(first)
    desk.entries.append(text(desk.seq + 1, "What came just now"))
    desk.event("message.received", None, conversation="conversation-1", message=f"message-{desk.seq + 1}")
    jump = page.get_by_role("button", name="1 new")
    expect(jump).to_be_visible()
    assert timeline.evaluate(first)[: len(before)] == before
    jump.click()
    expect(timeline.get_by_text("What came just now")).to_be_in_viewport()
    expect(jump).to_be_hidden()


def test_a_link_leads_to_an_entry_and_home_and_end_to_both_ends(page: Page, desk: FakeDesk) -> None:
    desk.entries = [text(seq) for seq in range(1, 601)]
    opened(page, desk, "timeline", conversation="conversation-1", entry="message-300")
    timeline = of(page)
    wanted = timeline.locator("li[data-seq='300']")
    expect(wanted).to_be_in_viewport()
    expect(wanted).to_be_focused()
    timeline.focus()
    page.keyboard.press("Home")
    expect(timeline.locator("li[data-seq='1']")).to_be_in_viewport()
    expect(timeline.get_by_text("The conversation begins here")).to_be_visible()
    page.keyboard.press("End")
    expect(timeline.locator("li[data-seq='600']")).to_be_in_viewport()


def test_words_are_found_marked_and_gone_through(page: Page, desk: FakeDesk) -> None:
    desk.entries = [text(seq, "the green parcel" if seq in (40, 400) else "") for seq in range(1, 601)]
    pieces = [["the ", False], ["green", True], [" parcel", False]]
    desk.found = [{"entry": f"message-{seq}", "at": seq, "pieces": pieces} for seq in (400, 40)]
    opened(page, desk, "timeline", conversation="conversation-1")
    timeline = of(page)
    page.get_by_role("button", name="Find in this conversation").click()
    field = page.get_by_role("searchbox", name="Find in this conversation")
    field.fill("green")
    for seq, said, key in ((400, "1 of 2", ""), (40, "2 of 2", "Enter"), (400, "1 of 2", "Shift+Enter")):
        if key:
            field.press(key)
        expect(page.get_by_text(said)).to_be_visible()
        expect(timeline.locator(f"li[data-seq='{seq}']")).to_be_in_viewport()
        assert page.evaluate("[...CSS.highlights.get('aircall-found')].map(String)") == ["green"]
    field.press("Escape")
    expect(page.get_by_role("button", name="Find in this conversation")).to_be_focused()
    assert page.evaluate("CSS.highlights.has('aircall-found')") is False


def test_channels_and_the_whole_profile(page: Page, desk: FakeDesk) -> None:
    other = text(5, "on the other line", conversation_id="conversation-2")
    desk.entries = [call(1), text(2, "a text"), text(4, "another"), other]
    desk.together = [
        {
            "id": "conversation-1",
            "party": "+33612345678",
            "number": "06 12 34 56 78",
            "line": {"id": "line-1", "name": "Support"},
        },
        {
            "id": "conversation-2",
            "party": "+33612345699",
            "number": "06 12 34 56 99",
            "line": {"id": "line-2", "name": "Sales"},
        },
    ]
    desk.new = {"conversation-1": 4}
    opened(page, desk, "timeline", conversation="conversation-1", writes=True)
    timeline = of(page)
    expect(timeline.get_by_text("New since your last look")).to_be_visible()
    page.get_by_role("button", name="Texts", exact=True).click()
    expect(timeline.get_by_text("a text")).to_have_count(0)
    expect(timeline.get_by_text("Answered call")).to_be_visible()
    page.get_by_role("button", name="Texts", exact=True).click()
    expect(timeline.get_by_text("a text")).to_be_visible()
    page.get_by_label("Which conversations").select_option("All lines and numbers")
    expect(timeline.get_by_text("on the other line")).to_be_visible()
    expect(timeline.get_by_text("Sales · 06 12 34 56 99")).to_be_visible()


def test_a_call_of_another_line_is_called_back_from_there(page: Page, desk: FakeDesk) -> None:
    missed = {"outcome": "abandoned", "answered_at": None, "answered_by": None, "missed_reason": "no_available_agent"}
    desk.entries = [call(1), call(3, **missed) | {"conversation_id": "conversation-2"}]
    line = {"id": "line-1", "name": "Support"}
    desk.together = [
        {"id": "conversation-1", "party": "+33612345678", "number": "06 12 34 56 78", "line": line},
        {"id": "conversation-2", "party": "+33612345699", "number": "06 12 34 56 99", "line": {**line, "id": "line-2"}},
    ]
    own = {"name": "Marie", "number": "+33612345678", "spoken": "06 12 34 56 78", "line": "line-1"}
    opened(page, desk, "timeline", conversation="conversation-1", writes=True, **own)
    page.get_by_label("Which conversations").select_option("All lines and numbers")
    page.evaluate("window.__aircall.calls.dial = (asked) => (window.asked = asked)")  # it needs no microphone here
    of(page).get_by_role("button", name="Call back").click()
    page.wait_for_function("window.asked")
    asked = page.evaluate("window.asked")
    assert (asked["line"], asked["number"]) == ("line-2", "+33612345699")


def test_what_is_new_is_led_to_and_a_link_to_an_entry_is_copied(page: Page, desk: FakeDesk) -> None:
    desk.entries = [text(seq) for seq in range(1, 301)]
    desk.new = {"conversation-1": 101}
    opened(page, desk, "timeline", conversation="conversation-1")
    timeline = of(page)
    expect(timeline.locator("li[data-seq='300']")).to_be_in_viewport()
    first = page.get_by_role("button", name="First new")
    first.click()
    expect(timeline.get_by_text("New since your last look")).to_be_in_viewport()
    expect(timeline.locator("li[data-seq='101']")).to_be_in_viewport()
    expect(first).to_be_hidden()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    timeline.locator("li[data-seq='101'] a.stamp").click()
    page.wait_for_function("async () => (await navigator.clipboard.readText()).includes('entry=101')")
    assert page.evaluate("navigator.clipboard.readText()").endswith("/conversation?id=conversation-1&entry=101")


def test_what_the_filters_hide_is_shown_to_whom_is_led_there(page: Page, desk: FakeDesk) -> None:
    desk.entries = [
        call(seq) if seq % 2 else text(seq, "the green parcel" if seq == 40 else "") for seq in range(1, 99)
    ]
    desk.found = [{"entry": "message-40", "at": 40, "pieces": [["green", True]]}]
    opened(page, desk, "timeline", conversation="conversation-1")
    texts = page.get_by_role("button", name="Texts", exact=True)
    texts.click()
    expect(of(page).locator(".message")).to_have_count(0)
    page.get_by_role("button", name="Find in this conversation").click()
    page.get_by_role("searchbox", name="Find in this conversation").fill("green")
    expect(of(page).locator(".found")).to_have_attribute("data-seq", "40")
    expect(texts).to_have_attribute("aria-pressed", "true")


def test_a_hidden_tab_has_read_nothing_until_somebody_looks(page: Page, desk: FakeDesk) -> None:
    def reads() -> int:
        return sum(path.endswith("/read") for path, _ in desk.requests)

    hide = "state => Object.defineProperty(document, 'visibilityState', {value: state, configurable: true})"
    desk.entries = [text(1)]
    opened(page, desk, "timeline", conversation="conversation-1")
    eventually(lambda: reads() == 1, 5, "read at opening")
    page.evaluate(hide, "hidden")
    desk.entries.append(text(desk.seq + 1, "What came meanwhile"))
    desk.event("message.received", None, message=f"message-{desk.seq + 1}")
    expect(of(page).get_by_text("What came meanwhile")).to_be_visible()
    page.wait_for_timeout(800)  # longer than a look takes
    assert reads() == 1
    page.evaluate(hide, "visible")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    eventually(lambda: reads() == 2, 5, "read at the next look")


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 390)])
def test_a_recording_by_its_waveform_or_why_not_and_axe_finds_nothing(
    page: Page, desk: FakeDesk, theme: str, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    sound = {"id": "sound-1", "duration_ms": 95_000, "kind": "call", "deleted": False, "may": True}
    tags = [{"name": "Order", "color": "#336699"}]
    desk.entries = [
        call(1, recordings=[sound], tags=tags),
        call(2, recordings=[{**sound, "may": False}]),
        text(3),
        text(4),
    ]
    desk.peaks = [abs((n * 37) % 255 - 120) for n in range(400)]
    page.goto(desk.url("timeline", theme=theme, conversation="conversation-1", writes=True))
    page.wait_for_function("window.ready && window.__aircall?.status === 'online'")
    timeline = of(page)
    expect(timeline.get_by_text("Only who took part in this call may play its recording")).to_be_visible()
    player = timeline.get_by_role("group", name="Recording")
    expect(player).to_have_count(1)
    player.scroll_into_view_if_needed()
    expect(player.locator("svg path.all")).to_be_attached()
    expect(timeline.get_by_role("list", name="Tags").get_by_text("Order")).to_be_visible()
    transcript = timeline.locator("summary", has_text="Transcript").filter(visible=True)
    expect(transcript).to_have_count(1)  # of what may be played
    transcript.click()
    expect(timeline.get_by_text("This version does not write transcripts").filter(visible=True)).to_be_visible()
    speed = player.get_by_role("button", name="Speed 1×")
    speed.click()
    expect(player.get_by_role("button", name="Speed 1.25×")).to_be_visible()
    found = Axe().run(page, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]})
    assert found.violations_count == 0, found.generate_report()
