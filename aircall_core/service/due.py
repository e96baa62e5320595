"""What happens because time passes: due rows are claimed and done, and statuses that time has changed are written down.

Any desk process may do any of it: a row is claimed by compare-and-set for a while, so that one that dies leaves its
work to the others; a status is compared again under the user's lock. A thread sleeps until its earliest time, or until
somebody commits, which may have made an earlier one.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from aircall_core.config import Settings
from aircall_core.desk import (
    afterwork,
    attachments,
    auto_close,
    availability,
    company,
    dial_entries,
    erasure,
    insights,
    messages,
    prompts,
    reindex,
    retention,
)
from aircall_core.ids import new_id
from aircall_core.logs import get_logger
from aircall_core.messaging.media import fetch_due
from aircall_core.service.retention import delete_old
from aircall_core.store import Store, StoreAway, clock, states
from aircall_core.store import due as rows
from aircall_core.store.due import Due

log = get_logger(__name__)

Handler = Callable[[Store, Settings, Due], int | None] | Callable[[Store, Settings, Due], None]
"""Does what is due; when it is due again (ms, the database's clock), or None. Safe to repeat: a claim may run out."""


@dataclass(frozen=True, slots=True)
class Job:
    """What a kind of due row means. ``every_s``: there is always one such row. ``slow``: it may take minutes."""

    handle: Handler
    every_s: int | None = None
    slow: bool = False


def _wrap_up_over(store: Store, _: Settings, row: Due) -> None:
    with store.write() as tx:
        afterwork.wrap_up_over(tx, row.subject)


def _hours_changed(store: Store, _: Settings, row: Due) -> None:
    with store.write() as tx:
        availability.hours_now(tx, row.subject)  # puts the row anew, for the next change


def _announced_day_has_come(store: Store, _: Settings, __: Due) -> int | None:
    with store.write() as tx:
        return company.end_announcement(tx)


def _claim_ran_out(store: Store, _: Settings, row: Due) -> int | None:
    with store.write() as tx:
        return dial_entries.abandoned(tx, row.subject)


def _prompt_removed(_: Store, settings: Settings, row: Due) -> None:
    prompts.delete_file(settings.data_dir, row.subject)


def _cards_old(store: Store, _: Settings, __: Due) -> None:
    with store.write() as tx:
        insights.sweep(tx)


def _uploads_left(store: Store, settings: Settings, _: Due) -> None:
    """Files that somebody uploaded for a text and never sent."""
    while True:
        with store.write() as tx:
            left = attachments.clear_left(tx, tx.now_ms())
        for path in left:
            attachments.forget(settings.data_dir, path)
        if not left:
            return


def _index_incomplete(store: Store, _: Settings, __: Due) -> None:
    count = reindex.complete(store)
    log.info("search_indexed", texts=count)


def _erase(store: Store, settings: Settings, row: Due) -> int | None:
    return erasure.run(store, settings.data_dir, row)


def _quiet_for_long(store: Store, _: Settings, __: Due) -> None:
    closed = auto_close.close_old(store)
    if closed:
        log.info("conversations_closed", count=closed)


# One line for each kind of due row.
JOBS: Final[Mapping[str, Job]] = {
    afterwork.WRAP_UP: Job(_wrap_up_over),
    availability.HOURS: Job(_hours_changed),
    company.ROLLOUT_DUE: Job(_announced_day_has_come),
    retention.KEY: Job(delete_old, every_s=3600, slow=True),
    dial_entries.CLAIM: Job(_claim_ran_out),
    prompts.REMOVED: Job(_prompt_removed, slow=True),
    insights.SWEEP: Job(_cards_old, every_s=3600),
    messages.FETCH: Job(fetch_due, slow=True),
    attachments.LEFT: Job(_uploads_left, every_s=24 * 3600, slow=True),
    auto_close.JOB: Job(_quiet_for_long, every_s=auto_close.EVERY_S, slow=True),
    reindex.JOB: Job(_index_incomplete, slow=True),
    erasure.JOB: Job(_erase, slow=True),
}

CLAIM_MS: Final = 30_000
SLOW_CLAIM_MS: Final = 600_000
AT_ONCE: Final = 20
LOOK_EVERY_MS: Final = 10_000  # a status that nothing has announced is found by then
BREATH_S: Final = 0.2  # between two looks, however often somebody commits
RETRY_S: Final = 1.0


class Runner:
    """A thread for the quick jobs and for statuses, and one for the slow jobs, so that none of them waits for these."""

    def __init__(
        self, store: Store, settings: Settings, give_up: Callable[[], None], jobs: Mapping[str, Job] = JOBS
    ) -> None:
        """``give_up`` is called, from a thread, when something is wrong with us and not with one job."""
        self._store, self._settings, self._give_up = store, settings, give_up
        self._owner = new_id()
        self._stop = threading.Event()
        self._jobs = jobs
        self._look_at = 0  # when statuses are compared again, at the latest
        self._threads = [
            threading.Thread(target=self._run, args=(slow,), name="due-slow" if slow else "due", daemon=True)
            for slow in sorted({False, *(job.slow for job in jobs.values())})
        ]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End; what is under way is done to its end, or claimed by another when the claim has run out."""
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=5)

    def _run(self, slow: bool) -> None:
        with self._store.doorbell(self._stop) as bell:
            while not self._stop.is_set():
                seen = bell.rings
                try:
                    pause_s = self.once(slow)
                except StoreAway as error:
                    log.warning("due_store_away", error=str(error))
                    pause_s = RETRY_S
                except Exception as fault:
                    log.error("due_failed", exc_info=fault)
                    self._give_up()
                    return
                bell.wait(seen, self._stop, pause_s)
                self._stop.wait(BREATH_S)

    def once(self, slow: bool = False) -> float:
        """Do all that is due now; seconds until there may be more to do."""
        kinds = {kind: job for kind, job in self._jobs.items() if job.slow == slow}
        self._begin(kinds)
        while self._claimed(kinds, slow):
            pass
        looked_at = None if slow else self._look()
        with self._store.read() as conn:
            now = clock.now_ms(conn)
            next_at = rows.next_at(conn, kinds)
        times = [time for time in (next_at, looked_at, now + LOOK_EVERY_MS) if time is not None]
        return max(0, min(times) - now) / 1000

    def _begin(self, kinds: Mapping[str, Job]) -> None:
        """There is a row for every job that comes again by itself."""
        with self._store.read() as conn:
            known, now = rows.kinds_of(conn), clock.now_ms(conn)
        missing = [kind for kind, job in kinds.items() if job.every_s is not None and kind not in known]
        if missing:
            with self._store.write() as tx:
                for kind in missing:
                    rows.ensure(tx.conn, kind, "all", now)

    def _claimed(self, kinds: Mapping[str, Job], slow: bool) -> bool:
        """Do a handful of what is due; whether there was any."""
        with self._store.read() as conn:  # most looks find nothing: they cost no writer its turn
            now, next_at = clock.now_ms(conn), rows.next_at(conn, kinds)
        if next_at is None or next_at > now:
            return False
        with self._store.write() as tx:
            now = tx.now_ms()
            until = now + (SLOW_CLAIM_MS if slow else CLAIM_MS)
            claimed = rows.claim(tx.conn, kinds, self._owner, now, until, 1 if slow else AT_ONCE)
        for row in claimed:
            if self._stop.is_set():
                return False
            self._do(kinds[row.kind], row)
        return bool(claimed)

    def _do(self, job: Job, row: Due) -> None:
        try:
            again_at = job.handle(self._store, self._settings, row)
        except StoreAway:
            raise
        except Exception as fault:  # a fault of this job alone: it is tried again when its claim has run out
            log.error("job_failed", kind=row.kind, subject=row.subject, exc_info=fault)
            return
        with self._store.write() as tx:
            if again_at is None and job.every_s is not None:
                again_at = tx.now_ms() + job.every_s * 1000
            rows.finish(tx.conn, row, self._owner, again_at)

    def _look(self) -> int:
        """Write down the statuses that changed without a transaction of their own; when to look again."""
        with self._store.read() as conn:
            now = clock.now_ms(conn)
            due_now = now >= self._look_at
            drifted = states.drifted(conn, now) if due_now else []
            lease_end = states.first_lease_end(conn, now)
        for user_id in drifted:
            with self._store.write() as tx:
                availability.time_passed(tx, user_id)
        latest = now + LOOK_EVERY_MS if due_now else self._look_at
        self._look_at = latest if lease_end is None else min(latest, lease_end)
        return self._look_at
