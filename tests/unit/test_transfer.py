"""Where a call goes when its agent hands it on: pure rules over flows."""

import pytest

from aircall_core.domain import transfer
from aircall_core.domain.flow import Flow, Kind, Step, default_flow
from aircall_core.domain.transfer import BACK, TO


def ids(steps: object) -> list[str]:
    return [step.id for step in steps]  # type: ignore[attr-defined]


RING, MAIL = Step("r", Kind.RING), Step("v", Kind.VOICEMAIL)


def test_the_overflow_is_what_follows_the_step_that_was_answered() -> None:
    flow = Flow([Step("hello", Kind.MESSAGE), Step("r", Kind.RING), Step("q", Kind.QUEUE), MAIL])
    assert ids(transfer.overflow_steps(flow, "r")) == ["q", "v"]
    assert ids(transfer.overflow_steps(flow, "q")) == ["v"]
    assert ids(transfer.overflow_steps(default_flow(20), "ring")) == ["voicemail"]


def test_a_step_nobody_knows_means_the_first_that_rings() -> None:
    flow = Flow([Step("hello", Kind.MESSAGE), Step("r", Kind.RING), MAIL])
    assert ids(transfer.overflow_steps(flow, None)) == ["v"]
    assert ids(transfer.overflow_steps(flow, "gone")) == ["v"]
    assert transfer.overflow_steps(Flow([MAIL]), "gone") == ()
    assert transfer.overflow_steps(Flow([RING]), "r") == ()


def test_where_a_branch_ends_the_overflow_goes_on_after_the_branching_step() -> None:
    menu = Step("m", Kind.MENU, branches={"1": (Step("r1", Kind.RING), Step("say", Kind.MESSAGE)), "2": (RING,)})
    flow = Flow([Step("h", Kind.HOURS, branches={"open": (menu,), "closed": ()}), MAIL])
    assert ids(transfer.overflow_steps(flow, "r1")) == ["say", "v"]
    assert ids(transfer.overflow_steps(flow, "r")) == ["v"]


@pytest.mark.parametrize(
    ("target", "first", "rings_s"),
    [({"user": "t"}, Kind.RING, 9), ({"team": "t"}, Kind.RING, 14), ({"number": "+33123"}, Kind.DIAL, None)],
)
def test_a_call_handed_on_comes_back_and_then_overflows(
    target: dict[str, str], first: Kind, rings_s: int | None
) -> None:
    flow = transfer.handed_on(target, "sam", [MAIL], 9)
    assert ids(flow.steps) == [TO, BACK, "v"]
    assert flow.steps[0].kind is first
    assert rings_s in (None, flow.steps[0]["total_s"])
    assert flow.steps[1]["target"] == {"user": "sam"}
    assert flow.steps[1]["total_s"] == 9


def test_another_line_does_with_the_call_what_it_does_with_its_own() -> None:
    flow = transfer.handed_on({"line": "other"}, "sam", [MAIL])
    assert [(step.kind, step["line"]) for step in flow.steps] == [(Kind.REDIRECT, "other")]


def test_a_line_that_is_asked_rings_its_own_users() -> None:
    team = Step("t", Kind.RING, {"target": {"team": "x"}})
    flow = transfer.aimed_at(Flow([Step("m", Kind.MENU, branches={"1": (RING, team)}), Step("r2", Kind.QUEUE)]), "b")
    assert [step["target"] for step in flow if step.kind in (Kind.RING, Kind.QUEUE)] == [
        {"line": "b"}, {"team": "x"}, {"line": "b"},
    ]  # fmt: skip


@pytest.mark.parametrize("wrong", [{}, {"user": ""}, {"user": "a", "team": "b"}, {"dog": "a"}, {"user": 3}])
def test_what_is_no_target(wrong: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="one user"):
        transfer.kind_of(wrong)


def test_under_way_from_the_moment_it_began_until_somebody_has_the_call() -> None:
    wanted = {"target": {"user": "t"}, "by": "sam", "at": 1}
    assert transfer.under_way({"transfer": None}) is None
    assert transfer.under_way({"transfer": wanted}) is None
    assert transfer.under_way({"transfer": {**wanted, "began": 2}}) == {"by": "sam", "to": "user"}
    assert transfer.under_way({"transfer": {**wanted, "began": 2, "over": True}}) is None


def test_a_call_handed_on_twice_remembers_where_it_came_in() -> None:
    assert transfer.came_by({"step": "r", "transfer": None}) == "r"
    assert transfer.came_by({"step": TO, "transfer": {"from_step": "r"}}) == "r"
    assert transfer.came_by({"step": "q", "transfer": {"from_step": "r"}}) == "q"
