"""Who hears whom: the connections of a call and its children, for every way in which they can stand."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aircall_core.sip.hearing import MUSIC, SILENCE, Connection, Kind, Member, connections

CALL = Member("A", talking=True, agent=True)
COLLEAGUE = Member("T", Kind.INTERNAL, talking=True, agent=True)
OUTSIDE = Member("O", Kind.OUTBOUND, talking=True)

FAR, S, T, OUT = ("A", "far"), ("A", "agent"), ("T", "agent"), ("O", "far")
PROMPT, LEFT, RIGHT, METER = ("A", "prompt"), ("A", "left"), ("A", "right"), ("A", "meter")


def both(one: tuple[str, str], other: tuple[str, str]) -> set[Connection]:
    return {(one, other), (other, one)}


def of(top: Member, *children: Member) -> set[Connection]:
    return set(connections(top, children))


# ---- one call


def test_a_call_alone() -> None:
    tape: set[Connection] = {(FAR, LEFT), (SILENCE, LEFT), (SILENCE, RIGHT)}
    assert of(CALL) == both(FAR, S)
    assert of(replace(CALL, muted=True)) == {(FAR, S)}
    assert of(replace(CALL, away=True)) == {(FAR, S), (MUSIC, FAR)}
    assert of(replace(CALL, speaking=True)) == {(FAR, S), (PROMPT, FAR), (PROMPT, S)}
    assert of(replace(CALL, recording=True)) == both(FAR, S) | tape | {(S, RIGHT)}
    assert of(replace(CALL, recording=True, muted=True)) == {(FAR, S)} | tape
    assert of(replace(CALL, recording=True, speaking=True)) == of(replace(CALL, speaking=True)) | tape
    assert of(replace(CALL, up=False)) == set()


def test_a_call_without_an_agent() -> None:
    waiting = Member("A")
    assert of(waiting) == set()
    assert of(replace(waiting, music=True)) == {(MUSIC, FAR)}
    assert of(replace(waiting, speaking=True, music=True)) == {(PROMPT, FAR)}
    assert of(replace(waiting, taping=True)) == {(FAR, LEFT), (SILENCE, LEFT), (FAR, METER)}
    assert of(replace(waiting, music=True, up=False)) == set()


def test_on_hold() -> None:
    held = replace(CALL, held=True)
    assert of(held) == {(MUSIC, FAR)}
    assert of(replace(held, speaking=True)) == {(PROMPT, FAR)}, "what is said to them is not for the agent"
    assert of(replace(held, recording=True)) == {(MUSIC, FAR), (FAR, LEFT), (SILENCE, LEFT), (SILENCE, RIGHT)}


def test_a_call_out() -> None:
    dialled = Member("A", dialling=True, agent=True, up=False)
    assert of(dialled) == set()
    assert of(replace(dialled, speaking=True)) == {(PROMPT, S)}, "the ringing is for the one who calls"
    assert of(replace(dialled, speaking=True, early=True, up=True)) == {(FAR, S)}, "one way: nobody has answered"
    assert of(replace(dialled, agent=False, early=True, up=True)) == set()


def test_passed_on_to_a_number() -> None:
    passed = Member("A", talking=True, outside=True)
    assert of(passed) == both(FAR, ("A", "outside"))
    assert of(replace(passed, outside=False)) == {(MUSIC, FAR)}, "its stream is on its way"


# ---- with children


def test_a_colleague_is_asked_first() -> None:
    held = replace(CALL, held=True)
    ringing = replace(COLLEAGUE, talking=False, agent=False, speaking=True)
    assert of(held, ringing) == {(MUSIC, FAR), (("T", "prompt"), S)}
    assert of(held, COLLEAGUE) == {(MUSIC, FAR)} | both(S, T)
    assert of(CALL, replace(COLLEAGUE, held=True)) == both(FAR, S) | {(MUSIC, T)}, "back with the caller"
    assert of(CALL, COLLEAGUE) == both(FAR, S) | both(S, T) | both(FAR, T), "all together"
    assert of(held, replace(COLLEAGUE, away=True)) == {(MUSIC, FAR), (S, T), (MUSIC, S)}, "the colleague is lost"


def test_somebody_outside_is_called() -> None:
    held = replace(CALL, held=True)
    dialled = replace(OUTSIDE, talking=False, dialling=True)
    assert of(held, replace(dialled, speaking=True)) == {(MUSIC, FAR), (("O", "prompt"), S)}
    assert of(held, replace(dialled, early=True)) == {(MUSIC, FAR), (OUT, S)}
    assert of(CALL, replace(dialled, early=True)) == both(FAR, S) | {(OUT, S)}, "the caller does not hear them call"
    assert of(held, OUTSIDE) == {(MUSIC, FAR)} | both(S, OUT)
    assert of(CALL, OUTSIDE) == both(FAR, S) | both(S, OUT) | both(FAR, OUT)


def test_what_is_recorded_of_several() -> None:
    tape: set[Connection] = {(FAR, LEFT), (SILENCE, LEFT), (SILENCE, RIGHT)}
    taped = replace(CALL, recording=True)
    together = of(taped, COLLEAGUE, OUTSIDE)
    assert {pair for pair in together if pair[1] in (LEFT, RIGHT)} == tape | {(OUT, LEFT), (S, RIGHT), (T, RIGHT)}
    aside = of(replace(taped, held=True), COLLEAGUE)
    assert {pair for pair in aside if pair[1] in (LEFT, RIGHT)} == tape, "what is said aside is nobody's to keep"


# ---- whatever happens

flags = st.booleans()
tops = st.builds(
    Member, id=st.just("A"), kind=st.just(Kind.TOP), up=flags, talking=flags, dialling=flags, early=flags, agent=flags,
    away=flags, muted=flags, held=flags, outside=flags, speaking=flags, music=flags, recording=flags, taping=flags,
)  # fmt: skip


def child(name: str) -> st.SearchStrategy[Member]:
    return st.builds(
        Member, id=st.just(name), kind=st.sampled_from([Kind.INTERNAL, Kind.OUTBOUND]), up=flags, talking=flags,
        dialling=flags, early=flags, agent=flags, away=flags, muted=flags, held=flags, speaking=flags, music=flags,
    )  # fmt: skip


def possible(call: Member) -> Member:
    """Nobody dials a colleague, nor one who has answered."""
    return replace(call, dialling=call.dialling and not call.talking and call.kind is not Kind.INTERNAL)


families = st.tuples(
    tops.map(possible),
    st.lists(st.sampled_from("TUV").flatmap(child).map(possible), max_size=3, unique_by=lambda one: one.id),
)


@given(families)
def test_nobody_hears_what_they_must_not(family: tuple[Member, list[Member]]) -> None:
    top, children = family
    pairs = connections(top, children)
    calls = {call.id: call for call in (top, *children)}
    people = {(name, "far") for name in calls} | {(name, "agent") for name in calls} | {("A", "outside")}

    def call_of(node: tuple[str, str]) -> Member:
        return calls[node[0]]

    for source, sink in pairs:
        assert source != sink, "nobody hears themselves"
        if sink in (LEFT, RIGHT, METER):
            assert top.recording or calls[sink[0]].taping
            assert source[1] in (("far", "silence", "outside") if sink[1] != "right" else ("agent", "silence")) or (
                sink[1] in ("left", "meter") and source == S and sink[0] != "A"
            )
        if source in people and sink in people:
            for node in (source, sink):
                own = call_of(node)
                if node != S:  # who is held hears and is heard by nobody
                    assert not own.held or (own.dialling and not own.talking), (source, sink)
            speaker = call_of(source)
            if source[1] == "agent":
                assert not speaker.muted, "a muted one is heard by nobody"
                assert not speaker.away
            if not speaker.talking:
                assert speaker.dialling
                assert speaker.early
                assert sink == (S if speaker.kind is Kind.OUTBOUND else (speaker.id, "agent")), "for its agent alone"
            assert call_of(sink).talking or call_of(source).dialling or sink == S, "one who has not answered hears none"
        if source == MUSIC and sink in people and call_of(sink).talking and sink != S:
            others = {pair[0] for pair in pairs if pair[1] == sink} - {MUSIC}
            assert not others & people or all(call_of(one).muted for one in others & people), "music, or people"


@given(families)
def test_two_who_are_together_hear_each_other(family: tuple[Member, list[Member]]) -> None:
    top, children = family
    pairs = connections(top, children)
    if not (top.talking and top.agent) or top.away or top.muted:
        return
    for one in children:
        if one.talking and not one.held and (one.up if one.kind is Kind.OUTBOUND else one.agent):
            node = (one.id, "far" if one.kind is Kind.OUTBOUND else "agent")
            assert (S, node) in pairs
            assert ((node, S) in pairs) is (one.kind is Kind.OUTBOUND or not (one.muted or one.away))


@pytest.mark.parametrize("kind", [Kind.INTERNAL, Kind.OUTBOUND])
def test_a_child_that_is_nowhere_yet_is_silent(kind: Kind) -> None:
    assert of(CALL, Member("T", kind, up=False)) == both(FAR, S)
