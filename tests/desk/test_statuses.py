"""Every way from one status of a user to another: what is derived, what the history says, and who is told."""

import itertools
import random
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from aircall_core.desk import afterwork, availability, calls, facts, tags
from aircall_core.desk.errors import DeskError, Invalid
from aircall_core.domain import view as fold
from aircall_core.domain.availability import BUSY, Standing, Status
from aircall_core.domain.flow import DEFAULTS, Kind
from aircall_core.ids import new_id, now_ms
from aircall_core.store import Store, due, people, provisioning, states
from aircall_core.store import calls as rows
from aircall_core.store import tables as t
from aircall_core.store.queries.views import snapshot
from tests.support.desk_kit import Desk, add_schedule, add_tag, beat_of, go_offline

HOUR_MS = 3_600_000
RING_LINE = {**DEFAULTS[Kind.RING], "kind": "ring", "target": {"line": True}}


class One(Desk):
    """A line with one user, and short words for what happens to them."""

    @property
    def user(self) -> str:
        """The user."""
        return self.users[0]

    def status(self) -> str:
        """What is derived now."""
        with self.store.write() as tx:
            standing = people.standing(tx.conn, self.user, tx.now_ms())
        assert standing is not None
        return standing.status.value

    def row(self) -> dict[str, Any]:
        """The user's row."""
        with self.store.read() as conn:
            user = people.user(conn, self.user)
        assert user is not None
        return user

    def history(self) -> list[tuple[str, str | None]]:
        """Statuses and reasons in order; each begins where the one before ended, and the last one is open."""
        with self.store.read() as conn:
            found = states.history(conn, self.user, 0, 1 << 60)
        for one, following in itertools.pairwise(found):
            assert one["until"] == following["since"]
        assert [one["until"] is None for one in found] == [False] * (len(found) - 1) + [True] * bool(found)
        return [(one["status"], one["reason"]) for one in found]

    def told(self) -> list[str]:
        """The statuses that events have told, in order."""
        return [str(row.event.data["status"]) for row in self.store.events(0, 10_000) if row.kind == "user.status"]

    def set(self, **values: Any) -> None:
        """Change columns of the user's row, as if time had passed or somebody had set them up so."""
        with self.store.write() as tx:
            states.change(tx.conn, self.user, **values)

    def set_line(self, **values: Any) -> None:
        """Change columns of the line's row."""
        with self.store.write() as tx:
            tx.execute(update(t.lines).values(**values))

    def time_passes(self) -> None:
        """What the desk process does when it looks."""
        with self.store.write() as tx:
            drifted = states.drifted(tx.conn, tx.now_ms())
        for user in drifted:
            with self.store.write() as tx:
                availability.time_passed(tx, user)

    def choose(self, choice: str, reason: str | None = None) -> None:
        """The user chooses."""
        with self.store.write() as tx:
            availability.choose(tx, self.user, choice, reason, new_id())

    def beat(self, tab: str = "") -> None:
        """A tab beats."""
        with self.store.write() as tx:
            availability.beat(tx, [beat_of(self.user, tab)])

    def go_offline(self) -> None:
        """The leases of all tabs have run out."""
        with self.store.write() as tx:
            go_offline(tx, self.user)

    def talk(self) -> str:
        """The user answers a call; its id."""
        call = self.arrive().call_id
        self.answer(call, self.user)
        return call

    def due(self, kind: str) -> int | None:
        """When the user's row of this kind is due."""
        with self.store.read() as conn:
            query = select(t.due.c.due_at).where(t.due.c.kind == kind, t.due.c.subject == self.user)
            found: int | None = conn.scalar(query)
        return found


@pytest.fixture
def one(store: Store) -> One:
    """One available user."""
    office = One.open(store, "Anna")
    assert isinstance(office, One)
    return office


def test_the_first_beat_begins_the_history(one: One) -> None:
    assert one.status() == "available"
    assert one.history() == [("available", None)]
    assert one.told() == ["available"]
    assert one.row()["idle_since"] == one.row()["status_at"]
    one.beat()
    assert one.told() == ["available"], "a beat is no news"


def test_off_and_on_duty(one: One) -> None:
    for on in (False, True):
        with one.store.write() as tx:
            availability.set_duty(tx, one.user, on=on, command=new_id())
    assert one.history() == [("available", None), ("off_duty", None), ("available", None)]
    assert one.told() == ["available", "off_duty", "available"]


@pytest.mark.parametrize("reason", ["break", "lunch", "training", "back_office", "other"])
def test_unavailable_needs_a_reason(one: One, reason: str) -> None:
    with pytest.raises(Invalid) as wrong:
        one.choose("unavailable")
    assert wrong.value.details["fields"].keys() == {"reason"}  # type: ignore[attr-defined]
    one.choose("unavailable", reason)
    assert one.status() == "unavailable"
    one.choose("unavailable", reason)
    assert one.history() == [("available", None), ("unavailable", reason)]
    one.choose("available")
    assert one.history()[-1] == ("available", None)


def test_another_reason_is_another_row(one: One) -> None:
    one.choose("unavailable", "break")
    one.choose("unavailable", "lunch")
    assert one.history()[1:] == [("unavailable", "break"), ("unavailable", "lunch")]


@pytest.mark.parametrize(
    ("choice", "reason"),
    [("available", "break"), ("auto", None), ("asleep", None), ("unavailable", "missed_calls"), ("unavailable", "x")],
)
def test_what_cannot_be_chosen(one: One, choice: str, reason: str | None) -> None:
    with pytest.raises(Invalid):
        one.choose(choice, reason)
    assert one.history() == [("available", None)]


def test_a_reason_does_not_outlive_the_browser(one: One) -> None:
    one.choose("unavailable", "lunch")
    one.go_offline()
    one.time_passes()
    assert one.history()[-1] == ("offline", None)
    one.beat()
    assert one.history()[-1] == ("unavailable", "lunch"), "what they chose is still chosen"


def test_an_administrator_chooses_without_a_reason(one: One) -> None:
    for choice in ("unavailable", "available"):
        with one.store.write() as tx:
            availability.choose_for(tx, "user:boss", one.user, choice)
    assert one.history()[1:] == [("unavailable", "by_admin"), ("available", None)]


def test_a_disabled_user_cannot_choose(one: One) -> None:
    one.set(state="disabled")
    with pytest.raises(DeskError, match="not active"):
        one.choose("available")
    one.time_passes()
    assert one.history()[-1] == ("disabled", None)


# ---- offline


def test_a_silent_tab_is_gone_when_its_lease_is(one: One) -> None:
    """A laptop asleep, or a browser that crashed: nothing closes the socket."""
    with one.store.write() as tx:
        gone_at = tx.now_ms() - 1_000
        tx.execute(update(t.presence).values(lease_until=gone_at))
        tx.execute(update(t.user_states).values(since=gone_at - 60_000))
        states.change(tx.conn, one.user, status_at=gone_at - 60_000)
    one.time_passes()
    assert one.history() == [("available", None), ("offline", None)]
    assert one.row()["status_at"] == gone_at, "since the lease ran out, not since somebody looked"


def test_a_reload_is_no_news_and_a_closed_tab_is_after_its_grace(one: One) -> None:
    with one.store.write() as tx:
        availability.tab_closed(tx, f"tab-{one.user}")
        assert states.first_lease_end(tx.conn, tx.now_ms()) == tx.now_ms() + availability.RELOAD_GRACE_MS
    one.time_passes()
    one.beat()
    assert one.history() == [("available", None)]


def test_two_tabs_are_one_presence(one: One) -> None:
    one.beat("second-tab")
    with one.store.write() as tx:
        tx.execute(update(t.presence).where(t.presence.c.tab_id == "second-tab").values(lease_until=1))
    one.time_passes()
    assert one.history() == [("available", None)]
    one.go_offline()
    one.time_passes()
    assert one.history()[-1] == ("offline", None)


def test_who_was_gone_unnoticed_is_rung_when_back(one: One) -> None:
    """The desk was restarted while the lease ran out: nobody wrote it down, and a call came in meanwhile."""
    one.go_offline()
    one.beat()
    assert one.history() == [("available", None), ("offline", None), ("available", None)]


def test_a_call_goes_on_without_its_browser(one: One) -> None:
    call = one.talk()
    one.go_offline()
    one.time_passes()
    assert one.status() == "in_call"
    one.end(call)
    assert one.history()[1:] == [("in_call", None), ("offline", None)]


# ---- calls, wrap-up


def test_a_call_and_its_end(one: One) -> None:
    before = one.row()["idle_since"]
    call = one.talk()
    assert one.history()[1:] == [("in_call", None)]
    one.end(call)
    assert one.history()[1:] == [("in_call", None), ("available", None)]
    assert one.row()["idle_since"] >= before
    assert one.row()["idle_since"] == one.row()["status_at"]


def test_a_failed_accept_is_no_call(one: One) -> None:
    one.set(idle_since=77)
    call = one.arrive().call_id
    command = one.accept(call, one.user)
    with one.store.write() as tx:
        facts.accept_failed(tx, one.owner, call, user_id=one.user, command=command, reason="no_audio")
    assert one.status() == "available"
    assert one.row()["status"] == "available"
    assert one.row()["idle_since"] == 77, "the longest idle agent stays the longest idle one"


def test_wrap_up_begins_and_ends_by_itself(one: One) -> None:
    one.set(wrap_up_s=40)
    call = one.talk()
    one.end(call)
    until = one.row()["wrap_up_until"]
    assert one.due(afterwork.WRAP_UP) == until
    assert 39_000 < until - one.row()["status_at"] <= 40_000
    assert one.history()[-1] == ("wrap_up", None)
    (event,) = [row.event for row in one.store.events(0, 1000) if row.kind == "user.wrap_up"]
    assert event.data["until"] == until
    one.set(wrap_up_until=1, idle_since=1)
    with one.store.write() as tx:
        afterwork.wrap_up_over(tx, one.user)
    assert one.history()[-1] == ("available", None)
    assert one.row()["idle_since"] > 1, "idle from the end of wrap-up on"


def test_wrap_up_is_finished_early_and_extended(one: One) -> None:
    one.set(wrap_up_s=40)
    one.end(one.talk())
    until = one.row()["wrap_up_until"]
    with one.store.write() as tx:
        afterwork.extend(tx, one.user, new_id())
    assert one.row()["wrap_up_until"] == one.due(afterwork.WRAP_UP) == until + 60_000
    for _ in range(2):  # twice: a command may be repeated
        with one.store.write() as tx:
            afterwork.finish(tx, one.user, new_id())
    assert one.history()[-2:] == [("wrap_up", None), ("available", None)]
    assert one.due(afterwork.WRAP_UP) is None
    with pytest.raises(DeskError) as wrong, one.store.write() as tx:
        afterwork.extend(tx, one.user, new_id())
    assert wrong.value.code == "over"


def test_nobody_extends_without_end(one: One) -> None:
    one.set(wrap_up_s=40)
    one.end(one.talk())
    for _ in range(14):
        with one.store.write() as tx:
            afterwork.extend(tx, one.user, new_id())
    with pytest.raises(DeskError) as wrong, one.store.write() as tx:
        afterwork.extend(tx, one.user, new_id())
    assert wrong.value.code == "longest"
    assert one.row()["wrap_up_until"] - one.row()["status_at"] <= afterwork.MOST_LEFT_S * 1000


def test_a_call_whose_end_is_told_late_leaves_no_wrap_up(one: One) -> None:
    """The store was away from its worker for a minute: the time was theirs meanwhile."""
    one.set(wrap_up_s=40)
    call = one.talk()
    with one.store.write() as tx:
        facts.ended(tx, one.owner, call, by="caller", at=tx.now_ms() - 60_000, reason="bye")
    assert one.history()[-1] == ("available", None)
    assert one.due(afterwork.WRAP_UP) is None


def test_a_call_that_nobody_answered_has_no_wrap_up(one: One) -> None:
    one.set(wrap_up_s=40)
    one.end(one.arrive().call_id)
    assert one.history() == [("available", None)]


def test_wrap_up_hides_the_next_call_until_it_is_over(one: One) -> None:
    one.set(wrap_up_s=40)
    one.end(one.talk())
    call = one.arrive("+33600000002").call_id
    with one.store.read() as conn:
        assert rows.ringing_users(conn, call) == []
    with one.store.write() as tx:
        afterwork.finish(tx, one.user, new_id())
    with one.store.read() as conn:
        assert rows.ringing_users(conn, call) == [one.user]


# ---- mandatory tags


def test_a_tag_is_owed_and_given(one: One) -> None:
    one.set_line(tags_required=True)
    with one.store.write() as tx:
        tag = add_tag(tx, "Billing")
    call = one.talk()
    one.end(call)
    assert one.history()[-1] == ("tagging", None)
    (event,) = [row.event for row in one.store.events(0, 1000) if row.kind == "call.tag_due"]
    assert (event.call_id, event.user_id, event.audience) == (call, one.user, f"user:{one.user}")
    with one.store.read() as conn:
        assert states.owed_tags(conn, one.user) == [call]
    with pytest.raises(Invalid), one.store.write() as tx:
        tags.give(tx, call, one.user, "agent", [], new_id())
    with pytest.raises(Invalid), one.store.write() as tx:
        tags.give(tx, call, one.user, "agent", [new_id()], new_id())
    assert one.status() == "tagging"
    with one.store.write() as tx:
        tags.give(tx, call, one.user, "agent", [tag], new_id())
    assert one.history()[-1] == ("available", None)
    with one.store.read() as conn:
        assert states.owed_tags(conn, one.user) == []


def test_a_tag_given_in_the_call_is_not_owed_after_it(one: One) -> None:
    one.set_line(tags_required=True)
    with one.store.write() as tx:
        tag = add_tag(tx, "Billing")
    call = one.talk()
    with one.store.write() as tx:
        tags.give(tx, call, one.user, "agent", [tag], new_id())
    one.end(call)
    assert one.history()[1:] == [("in_call", None), ("available", None)]


def test_an_owed_tag_cannot_be_dodged(one: One) -> None:
    one.set_line(tags_required=True)
    with one.store.write() as tx:
        tag = add_tag(tx, "Billing")
    waiting = one.arrive("+33600000002").call_id
    first = one.talk()
    one.end(first)
    one.go_offline()  # a reload, even a long one
    one.time_passes()
    one.beat("another-tab")
    assert one.status() == "tagging"
    one.choose("unavailable", "break")
    one.choose("available")
    for on in (False, True):
        with one.store.write() as tx:
            availability.set_duty(tx, one.user, on=on, command=new_id())
    assert one.status() == "tagging"
    with one.store.read() as conn:
        rung = rows.ringing_users(conn, waiting)
    assert one.user in rung, "it rang them before the first call was over"
    with pytest.raises(DeskError, match="Tag your last call first"):
        one.answer(waiting, one.user)
    assert one.status() == "tagging"
    with one.store.write() as tx:
        tags.give(tx, first, one.user, "agent", [tag], new_id())
    assert one.status() == "available"


def test_who_gave_the_call_back_owes_the_tag_too(one: One) -> None:
    one.set_line(tags_required=True)
    one.set(wrap_up_s=30)
    with one.store.write() as tx:
        add_tag(tx, "Billing")
    call = one.talk()
    with one.store.write() as tx:
        facts.agent_away(tx, one.owner, call, reason="silence")
        facts.returned(tx, one.owner, call, at=tx.now_ms())
    one.end(call)
    assert one.status() == "tagging", "and no wrap-up: they were not there at the end"


def test_nobody_owes_a_tag_that_cannot_be_given(one: One) -> None:
    one.set_line(tags_required=True)
    one.end(one.talk())
    assert one.status() == "available", "there is not one tag"
    with one.store.write() as tx:
        tag = add_tag(tx, "Billing")
    one.end(one.talk())
    assert one.status() == "tagging"
    with one.store.write() as tx:
        tx.execute(update(t.tags).where(t.tags.c.id == tag).values(archived=True))
    one.time_passes()
    assert one.history()[-1] == ("available", None)


def test_the_line_demands_no_tag_any_more(one: One) -> None:
    one.set_line(tags_required=True)
    with one.store.write() as tx:
        add_tag(tx, "Billing")
    one.end(one.talk())
    one.set_line(tags_required=False)
    one.time_passes()
    assert one.history()[-1] == ("available", None)


def test_wrap_up_comes_before_the_tag(one: One) -> None:
    one.set_line(tags_required=True)
    one.set(wrap_up_s=30)
    with one.store.write() as tx:
        add_tag(tx, "Billing")
    one.end(one.talk())
    with one.store.write() as tx:
        afterwork.finish(tx, one.user, new_id())
    assert one.history()[-2:] == [("wrap_up", None), ("tagging", None)]


def test_who_may_tag(one: One) -> None:
    with one.store.write() as tx:
        tag = add_tag(tx, "Billing")
    call = one.talk()
    for user, role, code in ((new_id(), "agent", "not_found"), (new_id(), "analyst", "forbidden")):
        with pytest.raises(DeskError) as wrong, one.store.write() as tx:
            tags.give(tx, call, user, role, [tag], new_id())
        assert wrong.value.code == code


# ---- auto-pause


def test_missed_rings_in_a_row_pause_and_an_answer_forgives(one: One) -> None:
    def miss() -> None:
        with one.store.write() as tx:
            availability.missed(tx, one.user, "worker:test")

    miss()
    assert one.status() == "available", "off unless set"
    with one.store.write() as tx:
        provisioning.put_setting(tx.conn, availability.AUTO_PAUSE, 3)
    miss()
    one.end(one.talk())
    assert one.row()["missed_in_a_row"] == 0
    miss()
    miss()
    assert one.status() == "available"
    miss()
    assert one.history()[-1] == ("unavailable", "missed_calls")
    one.choose("available")
    assert one.row()["missed_in_a_row"] == 0
    assert one.history()[-1] == ("available", None)


def test_rings_that_run_out_pause_and_resuming_rings_what_waits(one: One) -> None:
    with one.store.write() as tx:
        provisioning.put_setting(tx.conn, availability.AUTO_PAUSE, 2)
    for number in range(2):
        call = one.arrive(f"+3360000000{number}").call_id
        one.fact("ring_missed", call, user_id=one.user, at=now_ms())
        one.fact("ring_missed", call, user_id=one.user, at=now_ms())  # told twice, counted once
        one.end(call)
    assert one.history()[-1] == ("unavailable", "missed_calls")
    call = one.arrive("+33600000009").call_id
    with one.store.read() as conn:
        assert rows.ringing_users(conn, call) == []
    with one.store.write() as tx:
        states.change(tx.conn, one.user, idle_since=1)
    one.choose("available")
    assert one.row()["idle_since"] > 1
    one.fact("ring_step", call, step="again", settings=RING_LINE, at=now_ms())
    with one.store.read() as conn:
        assert rows.ringing_users(conn, call) == [one.user]


def test_rejecting_is_no_missed_ring(one: One) -> None:
    with one.store.write() as tx:
        provisioning.put_setting(tx.conn, availability.AUTO_PAUSE, 1)
    call = one.arrive().call_id
    with one.store.write() as tx:
        calls.reject(tx, call, one.user, command=new_id())
    one.end(call)
    one.end(one.arrive("+33600000002").call_id)  # the caller gave up
    assert one.history() == [("available", None)]


def test_who_is_unavailable_for_a_reason_of_their_own_keeps_it(one: One) -> None:
    with one.store.write() as tx:
        provisioning.put_setting(tx.conn, availability.AUTO_PAUSE, 1)
    one.choose("unavailable", "lunch")
    with one.store.write() as tx:
        availability.missed(tx, one.user, "worker:test")
    assert one.history()[-1] == ("unavailable", "lunch")


# ---- working hours


def test_auto_follows_the_working_hours(one: One) -> None:
    with one.store.write() as tx:
        always, never = add_schedule(tx, "always", "00:00", "24:00"), add_schedule(tx, "never")
    one.set(schedule_id=never)
    one.choose("auto")
    assert one.history()[-1] == ("out_of_hours", None)
    assert one.due(availability.HOURS) is None, "they never begin"
    one.set(schedule_id=always)
    with one.store.write() as tx:
        availability.hours_changed(tx, always, "user:boss")
    assert one.history()[-1] == ("available", None)
    one.choose("available")
    assert one.due(availability.HOURS) is None


def test_hours_that_begin_are_noticed(one: One) -> None:
    with one.store.write() as tx:
        schedule = add_schedule(tx, "never")
    one.set(schedule_id=schedule)
    one.choose("auto")
    with one.store.write() as tx:
        tx.execute(update(t.schedules).values(weekly=[[["00:00", "12:00"]]] * 7))
        availability.hours_changed(tx, schedule, "user:boss")
    change = one.due(availability.HOURS)
    assert change is not None
    assert change % (12 * HOUR_MS) == 0, "the next noon or midnight, UTC"
    before = one.history()[-1]
    with one.store.write() as tx:  # half a day goes by
        tx.execute(update(t.schedules).values(weekly=[[["12:00", "24:00"]]] * 7))
        availability.hours_now(tx, one.user)
    assert {before, one.history()[-1]} == {("available", None), ("out_of_hours", None)}


# ---- all of them


class Day:
    """What can happen to a user between calls and in them; each deed may be refused."""

    def __init__(self, one: One, dice: random.Random) -> None:
        self.one, self.dice = one, dice
        self.live: str | None = None
        with one.store.write() as tx:
            self.tags = [add_tag(tx, name) for name in ("Billing", "Sales")]
            self.schedule = add_schedule(tx, "never")
            provisioning.put_setting(tx.conn, availability.AUTO_PAUSE, 2)
        one.set(wrap_up_s=60, schedule_id=self.schedule)
        one.set_line(tags_required=True)

    def step(self) -> None:  # noqa: C901 - a list of deeds
        """One of them."""
        one, dice = self.one, self.dice
        match dice.choice(
            ("talk", "end", "end", "finish", "extend", "tag", "tag", "choose", "duty", "gone", "beat", "miss")
        ):
            case "talk" if self.live is None:
                call = one.arrive().call_id
                with one.store.read() as conn:
                    rung = rows.ringing_users(conn, call)
                if rung:
                    one.answer(call, one.user)
                    self.live = call
                else:
                    one.end(call)
            case "end" if self.live is not None:
                one.end(self.live)
                self.live = None
            case "tag":
                with one.store.write() as tx:
                    for call in states.owed_tags(tx.conn, one.user)[:1]:
                        tags.give(tx, call, one.user, "agent", dice.sample(self.tags, dice.randint(0, 2)), new_id())
            case "choose":
                one.choose(*dice.choice([("available", None), ("auto", None), ("unavailable", "lunch")]))
            case "gone":
                one.go_offline()
            case "beat":
                one.beat()
            case other:
                with one.store.write() as tx:
                    match other:
                        case "finish":
                            afterwork.finish(tx, one.user, new_id())
                        case "extend":
                            afterwork.extend(tx, one.user, new_id())
                        case "duty":
                            availability.set_duty(tx, one.user, on=dice.random() < 0.7, command=new_id())
                        case "miss":
                            availability.missed(tx, one.user, "worker:test")


@pytest.mark.parametrize("seed", range(4))
def test_history_view_and_what_is_so_agree_whatever_happens(one: One, seed: int) -> None:
    day = Day(one, random.Random(seed))
    with one.store.read() as conn:
        seq, view = snapshot(conn, one.user)
    for number in range(120):
        try:
            day.step()
        except DeskError:
            continue
        if number % 3 == 0:
            one.time_passes()
        for row in one.store.events(seq, 1000):
            seq, view = row.seq, fold.apply(view, row.event)
        with one.store.read() as conn:
            assert view == snapshot(conn, one.user)[1]
        one.history()
    one.time_passes()
    assert one.row()["status"] == one.status()
    assert one.history()[-1][0] == one.status()
    seen = set(one.told())
    assert len(seen) >= 6, f"a dull day: {seen}"


CAUSES: dict[Status, Callable[[dict[str, Any]], None]] = {
    Status.DISABLED: lambda v: v.update(active=False),
    Status.IN_CALL: lambda v: v.update(in_call=True),
    Status.OFFLINE: lambda v: v.update(online=False),
    Status.OFF_DUTY: lambda v: v.update(on_duty=False),
    Status.WRAP_UP: lambda v: v.update(wrapping_up=True),
    Status.TAGGING: lambda v: v.update(tag_due=True),
    Status.UNAVAILABLE: lambda v: v.update(choice="unavailable", reason="lunch"),
    Status.OUT_OF_HOURS: lambda v: v.update(choice="auto", within_hours=False),
    Status.AVAILABLE: lambda v: None,
}


@pytest.mark.parametrize("cause", Status)
@pytest.mark.parametrize("other", Status)
def test_one_status_at_a_time(cause: Status, other: Status) -> None:
    values: dict[str, Any] = {
        "user_id": "u", "active": True, "on_duty": True, "online": True, "in_call": False, "choice": "available",
    }  # fmt: skip
    CAUSES[other](values)
    CAUSES[cause](values)
    order = list(CAUSES)
    found = Standing(**values)
    alone = {Status.UNAVAILABLE, Status.OUT_OF_HOURS}  # two values of one choice: the last one is chosen
    expected = cause if {cause, other} == alone else min(cause, other, key=order.index)
    assert found.status is expected
    assert (found.status_reason == "lunch") == (found.status is Status.UNAVAILABLE)
    assert (found.status in BUSY) == (found.status in (Status.IN_CALL, Status.WRAP_UP, Status.TAGGING))


def test_due_rows_are_claimed_once_and_a_dead_claim_lapses(store: Store) -> None:
    with store.write() as tx:
        due.put(tx.conn, "test", "subject", 100, {"a": 1})
        due.ensure(tx.conn, "test", "subject", 5)
        due.ensure(tx.conn, "test", "other", 900)
        assert due.next_at(tx.conn, ["test"]) == 100
        assert due.claim(tx.conn, ["test"], "me", 99, 500, 9) == []
        (mine,) = due.claim(tx.conn, ["test"], "me", 100, 500, 9)
        assert (mine.subject, mine.due_at, dict(mine.data)) == ("subject", 100, {"a": 1})
        assert due.claim(tx.conn, ["test"], "you", 499, 700, 9) == []
        assert due.next_at(tx.conn, ["test"]) == 500
        (yours,) = due.claim(tx.conn, ["test"], "you", 500, 700, 9)
        due.finish(tx.conn, mine, "me", None)  # came back from the dead: not its business any more
        assert due.next_at(tx.conn, ["test"]) == 700
        due.finish(tx.conn, yours, "you", None)
        assert due.next_at(tx.conn, ["test"]) == 900


def test_a_due_row_put_anew_while_it_is_worked_on_stays(store: Store) -> None:
    with store.write() as tx:
        due.put(tx.conn, "test", "subject", 100)
        (mine,) = due.claim(tx.conn, ["test"], "me", 100, 500, 9)
        due.put(tx.conn, "test", "subject", 300)
        due.finish(tx.conn, mine, "me", None)
        assert due.next_at(tx.conn, ["test"]) == 300
        (again,) = due.claim(tx.conn, ["test"], "me", 300, 500, 9)
        due.finish(tx.conn, again, "me", 1_000)
        assert due.next_at(tx.conn, ["test"]) == 1_000
        due.drop(tx.conn, "test", "subject")
        assert due.next_at(tx.conn, ["test"]) is None


def test_a_thousand_users_are_looked_at_quickly_enough(store: Store) -> None:
    """Not a timing: the number of statements is what must not grow."""
    counted: list[str] = []
    with store.write() as tx:
        values = [
            {"id": f"user-{n}", "name": "N", "email": f"{n}@example.com", "role": "agent", "state": "active",
             "created_at": 1}
            for n in range(300)
        ]  # fmt: skip
        tx.execute(insert(t.users), values)
    with store.read() as conn:
        real = conn.execute

        def execute(statement: Any, *rest: Any) -> Any:
            counted.append(str(statement)[:40])
            return real(statement, *rest)

        conn.execute = execute  # type: ignore[method-assign, assignment]
        assert states.drifted(conn, 1) == []
    assert len(counted) == 2
