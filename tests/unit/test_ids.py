"""Identifiers sort by age."""

import threading

import pytest

from aircall_core import ids
from aircall_core.ids import new_id

_NOON, _COUNT = 1_790_000_000_000, 2_000


def time_of(identifier: str) -> int:
    """The milliseconds since the epoch that an identifier bears."""
    number = 0
    for letter in identifier:
        number = number * 32 + "0123456789abcdefghjkmnpqrstvwxyz".index(letter)
    return number >> 80


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The time now, to be changed; ids of real time were none yet."""
    now = [_NOON]
    monkeypatch.setattr(ids, "now_ms", lambda: now[0])
    monkeypatch.setattr(ids, "_newest", 0)
    return now


def test_those_of_one_millisecond_sort_as_they_were_made(clock: list[int]) -> None:
    made = [new_id() for _ in range(_COUNT)]
    assert made == sorted(set(made))
    assert {time_of(one) for one in made} == set(clock)


def test_they_bear_the_time_and_are_26_characters(clock: list[int]) -> None:
    for moment in (0, 1, _NOON, 2**48 - 1):
        clock[0] = moment
        assert len(new_id()) == len(new_id(moment)) == 26
        assert time_of(new_id(moment)) == moment
    assert ids.is_client_id(new_id())


def test_a_clock_that_goes_back_does_not_turn_the_order(clock: list[int]) -> None:
    before = new_id()
    clock[0] -= 3_600_000
    since = [new_id() for _ in range(3)]
    clock[0] = _NOON + 1
    since.append(new_id())
    assert [before, *since] == sorted([before, *since])
    assert time_of(since[-1]) == _NOON + 1


def test_one_of_another_time_leaves_the_others_alone(clock: list[int]) -> None:
    first, old, future, second = new_id(), new_id(_NOON - 5), new_id(_NOON + 5), new_id()
    assert [time_of(one) - _NOON for one in (first, old, future, second)] == [0, -5, 5, 0]
    assert first < second
    assert new_id(_NOON - 5) != old, "only its time is given"


def test_threads_make_no_id_twice_and_each_sees_its_own_in_order() -> None:
    start, made = threading.Barrier(4), [list[str]() for _ in range(4)]

    def make(mine: list[str]) -> None:
        start.wait()
        mine.extend(new_id() for _ in range(_COUNT))

    threads = [threading.Thread(target=make, args=(mine,)) for mine in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({one for mine in made for one in mine}) == 4 * _COUNT
    assert all(mine == sorted(mine) for mine in made)
