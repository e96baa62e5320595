"""Many processes change statuses at the same moment: none waits for another in a circle, and all agree in the end."""

import itertools
import random
import threading
from collections import Counter

from aircall_core.desk import afterwork, availability, tags
from aircall_core.desk.errors import DeskError
from aircall_core.ids import new_id, now_ms
from aircall_core.store import Store, Tx, open_store, people, states
from aircall_core.store import calls as rows
from tests.desk.test_statuses import One
from tests.support.desk_kit import Desk, add_tag, beat_of

DEEDS: list[str] = "arrive arrive accept answer answer end end miss duty choose beat finish tag look".split()  # noqa: SIM905 - read as words


class Hand:
    """One process with a store of its own, which does what comes."""

    def __init__(self, desk: Desk, url: str, tag: str, seed: int) -> None:
        self.dice, self.tag, self.url = random.Random(seed), tag, url
        self.desk = desk
        self.done: Counter[str] = Counter()
        self.faults: list[BaseException] = []

    def run(self, start: threading.Barrier) -> None:
        """Sixty deeds, as fast as it can."""
        with open_store(self.url) as store:
            own = Desk(store, self.desk.users, self.desk.line, self.desk.ids, self.desk.owner)
            start.wait(30)
            for _ in range(60):
                name = self.dice.choice(DEEDS)
                try:
                    self.deed(own, name)
                    self.done[name] += 1
                except DeskError:
                    self.done["refused"] += 1
                except BaseException as fault:  # noqa: BLE001 - told by the test
                    self.faults.append(fault)

    def deed(self, desk: Desk, name: str) -> None:
        """One of them; may be refused."""
        user = self.dice.choice(desk.users)
        with desk.store.read() as conn:
            live = rows.live_of_owner(conn, desk.owner.node, desk.owner.epoch)
        call = self.dice.choice(live) if live else None
        match name:
            case "arrive" if len(live) < 4:
                desk.arrive(f"+336{self.dice.randrange(10**8):08}")
            case "accept" if call:
                desk.accept(call, user)
            case "answer" if call:
                desk.answer(call, user)
            case "end" if call:
                desk.end(call)
            case "miss" if call:
                desk.fact("ring_missed", call, user_id=user, at=now_ms())
            case _:
                with desk.store.write() as tx:
                    self.own_affairs(desk, tx, name, user)

    def own_affairs(self, desk: Desk, tx: Tx, name: str, user: str) -> None:
        """What a user does between calls."""
        match name:
            case "duty":
                availability.set_duty(tx, user, on=self.dice.random() < 0.8, command=new_id())
            case "choose":
                choice = self.dice.choice([("available", None), ("unavailable", "lunch")])
                availability.choose(tx, user, *choice, new_id())
            case "beat":
                availability.beat(tx, [beat_of(one) for one in desk.users])
            case "finish":
                afterwork.finish(tx, user, new_id())
            case "tag":
                for call in states.owed_tags(tx.conn, user)[:1]:
                    tags.give(tx, call, user, "agent", [self.tag], new_id())
            case "look":
                availability.time_passed(tx, user)


def test_nobody_waits_in_a_circle_and_all_agree(store: Store, store_url: str) -> None:
    desk = One.open(store, "Anna", "Ben", "Chloe")
    assert isinstance(desk, One)
    with store.write() as tx:
        tag = add_tag(tx, "Billing")
        for user in desk.users:
            states.change(tx.conn, user, wrap_up_s=60)
    desk.set_line(tags_required=True)
    hands = [Hand(desk, store_url, tag, seed) for seed in range(4)]
    start = threading.Barrier(len(hands))
    threads = [threading.Thread(target=hand.run, args=(start,)) for hand in hands]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(100)
    assert [fault for hand in hands for fault in hand.faults] == []
    done = sum((hand.done for hand in hands), Counter())
    assert min(done[name] for name in ("arrive", "answer", "end", "duty", "choose")) >= 2, done
    desk.time_passes()
    with store.write() as tx:
        written = states.noted(tx.conn, desk.users)
        for standing in people.standings_of(tx.conn, desk.users, tx.now_ms()):
            assert written[standing.user_id].status == standing.status
            found = states.history(tx.conn, standing.user_id, 0, 1 << 60)
            assert all(one["until"] == later["since"] for one, later in itertools.pairwise(found))
            assert [one["until"] for one in found].count(None) == 1
