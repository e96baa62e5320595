"""Whether a far end is asked before a text goes to it, and what its silence means."""

from aircall_core.sip.reach import FRESH_S, HOPE_S, Reach


class Clock:
    """A clock that is moved."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def made() -> tuple[Reach, Clock]:
    clock = Clock()
    return Reach(clock), clock


def test_who_was_heard_lately_is_not_asked() -> None:
    reach, clock = made()
    assert reach.must_ask("a")
    reach.answered_question("a")
    assert not reach.must_ask("a")
    assert reach.must_ask("b"), "another far end"
    clock.now = FRESH_S
    assert reach.must_ask("a")
    reach.answered_text("a")
    assert not reach.must_ask("a")
    reach.lost_text("a")
    assert reach.must_ask("a")


def test_one_that_answers_questions_gets_no_text_while_it_does_not() -> None:
    reach, clock = made()
    reach.answered_question("a")
    for _ in range(5):
        clock.now += HOPE_S
        assert not reach.question_lost("a")


def test_one_that_never_answered_questions_gets_a_text_now_and_then() -> None:
    reach, clock = made()
    assert [reach.question_lost("a") for _ in range(3)] == [False] * 3
    clock.now += HOPE_S
    assert [reach.question_lost("a") for _ in range(3)] == [True, False, False]
    clock.now += HOPE_S
    assert reach.question_lost("a")
    reach.answered_text("a")  # so it takes texts, and answers no questions
    clock.now += 10 * FRESH_S
    assert not reach.must_ask("a")
    reach.lost_text("a")
    assert reach.must_ask("a"), "it may be away after all"
