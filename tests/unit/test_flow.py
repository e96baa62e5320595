"""Call flows: documents read and written, and walks that always end."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aircall_core.domain.flow import (
    DEEPEST,
    ENDS,
    LONGEST_FLOW,
    BadFlow,
    Flow,
    Kind,
    Step,
    default_flow,
    document_of,
    parse,
    walk,
)

BRANCHES = {
    Kind.HOURS: ("open", "closed"),
    Kind.MENU: ("1", "2", "none"),
    Kind.DIGITS: ("none",),
    Kind.LOOKUP: ("gold", "none"),
}
SETTINGS: Mapping[Kind, Any] = {
    Kind.RING: st.fixed_dictionaries({}, optional={"total_s": st.integers(5, 99), "if_busy": st.booleans()}),
    Kind.MENU: st.fixed_dictionaries({"options": st.just({"1": "Sales", "2": "Support"})}),
    Kind.REDIRECT: st.fixed_dictionaries({"line": st.text(max_size=5)}),
}


def steps(depth: int) -> st.SearchStrategy[tuple[Step, ...]]:
    """Lists of steps, nested so deep; their ids are given later."""

    @st.composite
    def one(draw: st.DrawFn) -> Step:
        kind = draw(st.sampled_from(list(Kind)))
        inside = {name: draw(steps(depth - 1)) for name in BRANCHES.get(kind, ()) if depth and draw(st.booleans())}
        return Step("", kind, draw(SETTINGS.get(kind, st.just({}))), inside)

    return st.lists(one(), max_size=4).map(tuple)


def named(given_steps: tuple[Step, ...], count: list[int]) -> tuple[Step, ...]:
    """The same with an id for each."""
    found = []
    for step in given_steps:
        count[0] += 1
        step_id = f"s{count[0]}"
        inside = {name: named(branch, count) for name, branch in step.branches.items()}
        found.append(Step(step_id, step.kind, step.settings, inside))
    return tuple(found)


FLOWS = (
    steps(3)
    .map(lambda given_steps: named(given_steps, [0]))
    .filter(lambda found: sum(1 for _ in walk(found)) <= LONGEST_FLOW)
)


@given(FLOWS)
def test_a_document_is_read_as_it_was_written(found: tuple[Step, ...]) -> None:
    document = document_of(found)
    assert parse(document).steps == found
    assert document_of(parse(document).steps) == document


@given(FLOWS, st.randoms())
def test_every_walk_ends_and_no_step_is_entered_twice(found: tuple[Step, ...], dice: Any) -> None:
    flow = Flow(found)
    step, seen = flow.first(), list[str]()
    while step is not None:
        assert step.id not in seen
        seen.append(step.id)
        branch = dice.choice([*step.branches, "nothing of the sort"])
        goes_on = flow.into(step.id, branch)
        assert goes_on is None or step.kind not in ENDS
        step = goes_on
    assert len(seen) <= sum(1 for _ in flow)


@given(FLOWS)
def test_every_step_is_found_by_its_id_and_follows_what_stands_before_it(found: tuple[Step, ...]) -> None:
    flow = Flow(found)
    assert [flow.get(step.id) for step in flow] == list(flow)
    for step in flow:
        for name, inside in step.branches.items():
            assert flow.into(step.id, name) == (inside[0] if inside else flow.after(step.id))
            if inside and inside[-1].kind not in ENDS:
                assert flow.after(inside[-1].id) == flow.after(step.id)
    for first, second in pairwise(found):
        assert flow.after(first.id) == (None if first.kind in ENDS else second)


def test_the_default_flow_rings_the_line_then_takes_a_message() -> None:
    flow = default_flow(20)
    first = flow.first()
    assert first is not None
    assert (first.kind, first["total_s"], first["target"], first["strategy"]) == (
        Kind.RING, 20, {"line": True}, "simultaneous",
    )  # fmt: skip
    second = flow.after(first.id)
    assert second is not None
    assert second.kind is Kind.VOICEMAIL
    assert flow.after(second.id) is None


def nested(depth: int) -> dict[str, Any]:
    """Menus in menus."""
    inside = nested(depth - 1)["steps"] if depth else []
    return {"steps": [{"id": f"m{depth}", "kind": "menu", "branches": {"1": inside}}]}


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"steps": "none"},
        {"steps": [3]},
        {"steps": [{"kind": "ring"}]},
        {"steps": [{"id": "", "kind": "ring"}]},
        {"steps": [{"id": "x" * 33, "kind": "ring"}]},
        {"steps": [{"id": "a", "kind": "dance"}]},
        {"steps": [{"id": "a", "kind": ["ring"]}]},
        {"steps": [{"id": "a", "kind": "menu", "branches": []}]},
        {"steps": [{"id": "a", "kind": "ring"}, {"id": "a", "kind": "ring"}]},
        {"steps": [{"id": f"s{n}", "kind": "ring"} for n in range(LONGEST_FLOW + 1)]},
        nested(DEEPEST + 1),
    ],
)
def test_what_no_editor_would_send_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(BadFlow):
        parse(document)


def test_what_a_step_does_not_know_is_not_kept() -> None:
    flow = parse({"steps": [{"id": "a", "kind": "hang_up", "note": "x", "total_s": 3}]})
    assert document_of(flow.steps) == {"steps": [{"id": "a", "kind": "hang_up"}]}
