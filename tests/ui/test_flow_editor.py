"""The call flow editor: its pure parts by properties, its page by clicks over a real store."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from streamlit.testing.v1 import AppTest

from aircall_core.domain import flow_check
from aircall_core.domain.dialling import Why
from aircall_core.domain.flow import DEFAULTS, Kind, Step, document_of, parse, walk
from aircall_core.service.flows import FlowToSave
from aircall_core.ui import client
from aircall_core.ui.editors import hours_text
from aircall_core.ui.flow_editor import picture, tree, words
from aircall_core.ui.flow_editor.words import Names
from aircall_core.ui.text import catalogue, t
from tests.support.desk_kit import Desk
from tests.ui.test_pages import PAGES, Sent, desk, fine, sent, shell

__all__ = ["desk", "sent"]  # fixtures
pytestmark = pytest.mark.timeout(180)
PAGE = "settings/flows.py"

# ---- the tree


def steps_of(depth: int) -> some.SearchStrategy[tuple[Step, ...]]:
    """Flows of a few steps, some of which branch."""
    plain = some.sampled_from([Kind.RING, Kind.MESSAGE, Kind.QUEUE, Kind.VOICEMAIL]).map(tree.fresh)
    if depth == 0:
        return some.lists(plain, max_size=3).map(tuple)
    branching = some.builds(
        lambda step, one, two: Step(step.id, step.kind, step.settings, {"open": one, "closed": two}),
        some.just(Kind.HOURS).map(tree.fresh),
        steps_of(depth - 1),
        steps_of(depth - 1),
    )
    return some.lists(plain | branching, max_size=3).map(tuple)


# tree.fresh draws its ids by itself, so what Hypothesis repeats has other ids: unique all the same.
FLOWS = steps_of(2).map(lambda steps: _renamed(steps, [0]))


def _renamed(steps: tuple[Step, ...], count: list[int]) -> tuple[Step, ...]:
    found = []
    for step in steps:
        count[0] += 1
        name = f"s{count[0]}"
        found.append(
            Step(name, step.kind, step.settings, {key: _renamed(way, count) for key, way in step.branches.items()})
        )
    return tuple(found)


def ids(steps: tuple[Step, ...]) -> list[str]:
    return [step.id for step in walk(steps)]


@given(FLOWS, some.data())
def test_every_move_keeps_every_step(steps: tuple[Step, ...], data: some.DataObject) -> None:
    if not steps:
        return
    chosen = data.draw(some.sampled_from(ids(steps)))
    places = [tree.up(steps, chosen), tree.down(steps, chosen), *(place for _, _, place in tree.into(steps, chosen))]
    for place in places:
        if place is not None:
            moved = tree.move(steps, chosen, place)
            assert sorted(ids(moved)) == sorted(ids(steps))
            assert moved != steps


@given(FLOWS, some.data())
def test_up_and_down_are_ways_back(steps: tuple[Step, ...], data: some.DataObject) -> None:
    if not steps:
        return
    chosen = data.draw(some.sampled_from(ids(steps)))
    here, above = tree.place_of(steps, chosen), tree.up(steps, chosen)
    if here is None or above is None or (above.parent, above.branch) != (here.parent, here.branch):
        return
    moved = tree.move(steps, chosen, above)
    back = tree.down(moved, chosen)
    assert back is not None
    assert tree.move(moved, chosen, back) == steps


@given(FLOWS, some.data())
def test_added_and_removed_again(steps: tuple[Step, ...], data: some.DataObject) -> None:
    fresh = tree.fresh(Kind.MENU)
    place = tree.ROOT
    if steps:
        found = tree.place_of(steps, data.draw(some.sampled_from(ids(steps))))
        assert found is not None
        place = found
    added = tree.insert(steps, place, fresh)
    assert tree.place_of(added, fresh.id) == place
    assert tree.remove(added, fresh.id) == steps


@given(FLOWS)
def test_what_is_saved_is_what_is_read(steps: tuple[Step, ...]) -> None:
    document = json.loads(json.dumps(document_of(tree.tidy(steps))))
    assert document_of(parse(document).steps) == document
    assert ids(parse(document).steps) == ids(steps)


def test_who_typed_goes_on_past_the_branch_of_those_who_did_not() -> None:
    bye = Step("bye", Kind.HANG_UP)
    digits = Step("digits", Kind.DIGITS, {"label": "Account"}, {"none": (bye,)})
    lookup = Step("lookup", Kind.LOOKUP, {"url": "https://example.com/"}, {"vip": (Step("bye2", Kind.HANG_UP),)})
    ring = Step("ring", Kind.RING)
    assert not flow_check.always_ends([digits])
    assert not flow_check.always_ends([lookup])
    drawn = picture.draw((digits, lookup, ring), Names(), start="a", end="b")
    assert [label["text"] for label in drawn["labels"]] == ["Nothing typed", "Typed", "vip", "Otherwise"]
    assert "ring" in {box["id"] for box in drawn["boxes"]}


@given(FLOWS)
def test_nothing_in_the_picture_lies_over_anything_else(steps: tuple[Step, ...]) -> None:
    drawn = picture.draw(steps, Names(), start="a", end="b")
    boxes = drawn["boxes"]
    assert [box["id"] for box in boxes if box["id"]] == [step.id for step in _reached(steps)]
    for index, one in enumerate(boxes):
        assert one["x"] >= 0
        assert one["x"] + one["w"] <= drawn["width"] + 0.01
        assert one["y"] + one["h"] <= drawn["height"]
        for two in boxes[index + 1 :]:
            apart = (
                one["x"] + one["w"] <= two["x"] + 0.01 or two["x"] + two["w"] <= one["x"] + 0.01
                or one["y"] + one["h"] <= two["y"] or two["y"] + two["h"] <= one["y"]
            )  # fmt: skip
            assert apart, (one, two)


def _reached(steps: tuple[Step, ...]) -> list[Step]:
    """The steps that are drawn: nothing stands below where every caller's way ends."""
    found: list[Step] = []
    for index, step in enumerate(steps):
        found.append(step)
        for way in flow_check.branches_of(step):
            found += _reached(step.branches.get(way, ()))
        if flow_check.always_ends(steps[: index + 1]):
            break
    return found


# ---- words


def test_every_step_and_problem_can_be_said() -> None:
    for kind in Kind:
        step = Step("x", kind, dict(DEFAULTS[kind]))
        words.summary(step, Names())
        for branch in flow_check.branches_of(step):
            assert words.branch(step, branch)
    for name in flow_check.SHIPPED:
        assert words.shipped(name)
    source = flow_check.__file__
    with open(source, encoding="utf-8") as file:
        text = file.read()
    known = {key.removeprefix("problem_") for key in catalogue()["flow"] if key.startswith("problem_")}
    when_dialled = {Why.DO_NOT_CALL, Why.LINE_OFF, Why.USER_CAP, Why.LINE_CAP}  # nothing that a flow is saved with
    numbers = {f"dial_{why}" for why in set(Why) - when_dialled}
    assert known >= numbers
    assert {code for code in known if f'"{code}"' in text} >= known - numbers - {"no_schedule", "no_line"}
    assert t("flow.problem_no_schedule")
    assert t("flow.problem_no_line")


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("9-12:30, 13-18", [["09:00", "12:30"], ["13:00", "18:00"]]),
        ("09:00–18:00", [["09:00", "18:00"]]),
        ("9am - 5:30pm", [["09:00", "17:30"]]),
        ("12am to 12pm", [["00:00", "12:00"]]),
        ("22-6", [["22:00", "06:00"]]),
        ("8h30-12h", [["08:30", "12:00"]]),
        ("24h", [["00:00", "24:00"]]),
        ("0-24", [["00:00", "24:00"]]),
        ("  Closed ", []),
        ("", []),
    ],
)
def test_hours_as_people_write_them(text: str, spans: list[list[str]]) -> None:
    assert hours_text.read(text) == spans
    assert hours_text.read(hours_text.write(spans)) == spans


@pytest.mark.parametrize("text", ["nine to five", "9", "9-25", "9:70-10", "13pm-15", "9-12-15", "9–", "0am-5"])
def test_what_is_no_hours(text: str) -> None:
    with pytest.raises(hours_text.NotHours):
        hours_text.read(text)


# ---- the page


def button(at: AppTest, label: str) -> Any:
    """The first button whose label holds this."""
    found = [one for one in at.button if label in one.label]
    assert found, (label, [one.label for one in at.button])
    return found[0]


def test_a_flow_is_built_by_clicks_and_saved(desk: Desk, sent: Sent, monkeypatch: pytest.MonkeyPatch) -> None:
    at = fine(shell(desk, page=PAGE))
    assert button(at, "Save").disabled
    button(at, "Add step").click().run()
    button(at, "**Menu**").click().run()
    fine(at)
    assert button(at, "Save").disabled, "the menu has no choices yet"
    assert any("At least one choice" in one.value or "at least one choice" in one.value for one in at.markdown)
    prompt = next(one for one in at.selectbox if one.label == "What callers hear")
    prompt.select("shipped:goodbye").run()
    next(one for one in at.selectbox if one.label == "Add a choice").select("1").run()
    label = next(one for one in at.text_input if one.label == "What key 1 is for")
    label.set_value("Sales").run()
    button(at, "Add a step to 1 · Sales").click().run()
    button(at, "**Queue**").click().run()
    fine(at)

    def take(method: str, path: str, body: dict[str, Any]) -> dict[str, int]:
        sent.append((method, path, body))
        return {"version": 1}

    monkeypatch.setattr(client, "send", take)
    button(at, "Save").click().run()
    fine(at)
    method, path, body = sent[-1]
    assert (method, path) == ("PUT", f"/desk/lines/{desk.line}/flow")
    saved = FlowToSave.model_validate(body)
    flow = parse(saved.document)
    assert saved.version == 0
    assert [step.kind.value for step in flow.steps] == ["ring", "menu", "voicemail"]
    menu = flow.steps[1]
    assert menu["options"] == {"1": "Sales"}
    assert [step.kind.value for step in menu.branches["1"]] == ["queue"]


def test_changes_survive_other_pages_and_are_discarded_on_demand(desk: Desk, sent: Sent) -> None:
    at = fine(shell(desk, page=PAGE))
    button(at, "**Voicemail**").click().run()
    button(at, "Remove step").click().run()
    assert not any("**Voicemail**" in one.label for one in at.button)
    at.switch_page(str(PAGES / "settings/tags.py")).run()
    at.switch_page(str(PAGES / PAGE)).run()
    fine(at)
    assert not any("**Voicemail**" in one.label for one in at.button), "still removed"
    button(at, "Discard changes").click().run()
    assert any("**Voicemail**" in one.label for one in at.button)
    assert sent == []


def test_a_flow_that_somebody_else_saved_meanwhile(desk: Desk, sent: Sent) -> None:
    from aircall_core.desk import flows

    at = fine(shell(desk, page=PAGE))
    button(at, "**Voicemail**").click().run()
    button(at, "Remove step").click().run()
    with desk.store.write() as tx:
        flows.save(tx, "system", desk.line, {"steps": [{"id": "bye", "kind": "hang_up"}]}, 0)
    at.run()
    assert any("Somebody else saved version 1" in one.value for one in at.warning)
    button(at, "Load theirs").click().run()
    assert any("**Hang up**" in one.label for one in at.button)
    button(at, "**Hang up**").click().run()
    button(at, "Add before").click().run()
    button(at, "**Voicemail**").click().run()
    button(at, "Move down").click().run()
    fine(at)
    assert any("No caller gets here" in one.label for one in at.button)


def test_an_old_version_comes_back_as_a_draft(desk: Desk, sent: Sent) -> None:
    from aircall_core.desk import flows

    with desk.store.write() as tx:
        flows.save(tx, "system", desk.line, {"steps": [{"id": "bye", "kind": "hang_up"}]}, 0)
    with desk.store.write() as tx:
        flows.save(tx, "system", desk.line, {"steps": [{"id": "vm", "kind": "voicemail"}]}, 1)
    at = fine(shell(desk, page=PAGE))
    button(at, "Restore").click().run()
    fine(at)
    assert any("**Hang up**" in one.label for one in at.button)
    assert not button(at, "Save").disabled
    assert sent == []


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_has_a_form(desk: Desk, sent: Sent, kind: Kind) -> None:
    from aircall_core.desk import flows

    with desk.store.write() as tx:
        flows.save(tx, "system", desk.line, {"steps": [{"id": "bye", "kind": "hang_up"}]}, 0)
    at = fine(shell(desk, page=PAGE))
    button(at, "Add step").click().run()
    button(at, f"**{words.kind(kind)}**").click().run()
    fine(at)
    assert button(at, "Close")
