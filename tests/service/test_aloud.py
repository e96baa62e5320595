"""Which browser rings aloud."""

from hypothesis import given
from hypothesis import strategies as st

from aircall_core.service.aloud import TabState, elect


def tab(browser: str, focused_at: int = 1, *, armed: bool = True, sound: bool = True) -> TabState:
    return TabState(browser, armed, sound, focused_at)


def test_the_most_recently_focused_armed_browser_rings() -> None:
    assert elect([], None) is None
    assert elect([tab("a", 1), tab("b", 2)], "a") == "b"
    assert elect([tab("a", 1), tab("b", 2, armed=False)], None) == "a"
    assert elect([tab("a", 1), tab("b", 2, sound=False)], None) == "a"
    assert elect([tab("a", 3), tab("b", 1), tab("b", 4)], "a") == "b"
    assert elect([tab("a", armed=False), tab("b", sound=False)], "a") is None


def test_it_stays_where_it_is_on_a_tie() -> None:
    assert elect([tab("a"), tab("b")], "b") == "b"
    assert elect([tab("a"), tab("b")], "gone") == "a"


@given(st.lists(st.builds(TabState, st.sampled_from("abc"), st.booleans(), st.booleans(), st.integers(0, 3))))
def test_electing_again_changes_nothing(tabs: list[TabState]) -> None:
    first = elect(tabs, None)
    assert elect(tabs, first) == first
    assert elect(list(reversed(tabs)), first) == first
