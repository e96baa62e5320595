"""Asking sources of insight cards, beside everything else: a call that arrives, or goes out, does not wait for it.

One thread follows the log and claims questions, so that of several desk processes one asks; a second one runs all the
requests side by side. What they bring is an event, and browsers fetch the cards (service/insights.py).
"""

import asyncio
import threading
from collections.abc import Iterable, Mapping
from typing import Any, Final

from aircall_core import numbers
from aircall_core.crm.port import Question, SourceError
from aircall_core.crm.sources import Opened
from aircall_core.desk import insights
from aircall_core.desk.insights import Asking
from aircall_core.desk.secrets import SecretBox, SecretKeyError
from aircall_core.domain import events as kinds
from aircall_core.domain.call import Direction
from aircall_core.domain.events import EventRow
from aircall_core.domain.insight import Line
from aircall_core.logs import get_logger
from aircall_core.store import LogTruncated, Store, StoreAway
from aircall_core.store.queries import insights as queries
from aircall_core.store.queries.insights import Subject

log = get_logger(__name__)

AT_ONCE: Final = 16  # requests to one source: others are not kept waiting by one that hangs
MOST_WAITING: Final = 200  # questions to one source; later ones are not asked, since their calls would be over
_RETRY_S: Final = 1.0
TOO_MANY: Final = "too_many"  # a source's answer 429


async def ask(source: Mapping[str, Any], opened: Opened, question: Question) -> tuple[list[Line] | None, str | None]:
    """What a source says: (lines, None), or (None, why it failed)."""
    try:
        return await opened.card(question), None
    except SourceError as error:
        return None, error.code
    except Exception as fault:  # noqa: BLE001 - a source that breaks us must not break the others
        log.error("insight_broken", source=source["id"], error=type(fault).__name__)
        return None, "broken"


def open_source(source: Mapping[str, Any], box: SecretBox) -> Opened:
    """A source ready to be asked. SourceError when its secret cannot be read."""
    try:
        secret = box.open(source["secret"]) if source["secret"] else ""
    except SecretKeyError:
        raise SourceError("secret_unreadable") from None
    return Opened(source["kind"], source["settings"], secret)


def question_of(number: str, values: Mapping[str, Any]) -> Question:
    """The question about a caller."""
    return Question(number, numbers.national_digits(number), values)


class Asker:
    """Two threads of the desk process: the follower, and the loop of the requests."""

    def __init__(self, store: Store, box: SecretBox) -> None:
        self._store, self._box = store, box
        self._stop = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._opened: dict[str, tuple[int, Opened]] = {}  # by source: its version, and its connections
        self._busy: dict[str, asyncio.Semaphore] = {}
        self._waiting: dict[str, int] = {}
        self._not_before: dict[str, float] = {}  # by source that asked us to slow down: loop time
        self._tasks: set[asyncio.Task[None]] = set()
        self._threads = (
            threading.Thread(target=self._run_loop, name="insights", daemon=True),
            threading.Thread(target=self._follow, name="insights-follower", daemon=True),
        )
        self.ready = threading.Event()  # it follows the log

    def start(self) -> None:
        """Begin at the end of the log: whoever called before has been asked about."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End; questions under way are given up, and their claims run out."""
        self._stop.set()
        asks, follows = self._threads
        follows.join(timeout=5)  # first, since it hands its questions to the other
        self._loop.call_soon_threadsafe(self._loop.stop)
        asks.join(timeout=5)

    def want(self, subject: Subject) -> None:
        """Somebody looks at a conversation: its sources are asked if what they said is old. Never waits."""
        if not self._stop.is_set():
            self._loop.call_soon_threadsafe(lambda: self._begin(asyncio.to_thread(self._claim, [subject])))

    # ---- following

    def _follow(self) -> None:
        after: int | None = None
        while not self._stop.is_set():
            try:
                if after is None:
                    after = self._store.last_seq()
                    self.ready.set()
                for rows in self._store.follow(after, self._stop):
                    self._heard(rows)
                    after = rows[-1].seq
            except LogTruncated as cut:
                after = cut.last_seq
            except StoreAway:
                self._stop.wait(_RETRY_S)
            except Exception as fault:  # calls ring without cards, and that is all that is lost
                log.error("insight_follower_failed", exc_info=fault)
                after = None
                self._stop.wait(_RETRY_S)

    def _heard(self, rows: Iterable[EventRow]) -> None:
        begun = [row.event.call_id for row in rows if row.event.call_id and _begins(row)]
        if begun:
            with self._store.read() as conn:
                subjects = [found for call in begun if (found := queries.of_call(conn, call)) is not None]
            self._claim(subjects)
        for row in rows:
            if row.kind == kinds.INSIGHTS_CHANGED:
                self._loop.call_soon_threadsafe(self._let_go, str(row.event.data["id"]))
        over = [row.event.call_id for row in rows if row.event.call_id and row.kind == kinds.CALL_ENDED]
        if over:
            with self._store.read() as conn:
                posted = queries.any_posted(conn, over)
            if posted:
                with self._store.write() as tx:
                    insights.over(tx, over)

    def _claim(self, subjects: Iterable[Subject]) -> None:
        once = {subject.number: subject for subject in subjects}
        for asking in insights.claim(self._store, once.values()):
            self._loop.call_soon_threadsafe(self._ask_all, asking)

    # ---- asking; all of it in the loop's thread

    def _run_loop(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
            for task in self._tasks:
                task.cancel()
            self._loop.run_until_complete(asyncio.gather(*self._tasks, return_exceptions=True))
            self._loop.run_until_complete(self._close())
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
        finally:
            self._loop.close()

    def _begin(self, work: Any) -> None:
        async def run() -> None:
            try:
                await work
            except StoreAway as error:
                log.warning("insight_store_away", error=str(error))
            except Exception as fault:  # this question's alone
                log.error("insight_question_failed", exc_info=fault)

        task = self._loop.create_task(run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _ask_all(self, asking: Asking) -> None:
        for source in asking.sources:
            self._begin(self._ask(source, asking))

    async def _ask(self, source: Mapping[str, Any], asking: Asking) -> None:
        source_id = source["id"]
        contents: list[Line] | None
        error: str | None
        if self._waiting.get(source_id, 0) >= MOST_WAITING:
            contents, error = None, "overloaded"
        else:
            self._waiting[source_id] = self._waiting.get(source_id, 0) + 1
            try:
                async with self._busy.setdefault(source_id, asyncio.Semaphore(AT_ONCE)):
                    contents, error = await self._answer(source, question_of(asking.subject.number, asking.values))
            finally:
                self._waiting[source_id] -= 1
        if error:
            log.warning("insight_failed", source=source_id, why=error)
        await asyncio.to_thread(self._write, source, asking.subject, contents, error)

    async def _answer(self, source: Mapping[str, Any], question: Question) -> tuple[list[Line] | None, str | None]:
        try:
            opened = self._ready(source)
        except SourceError as error:
            return None, error.code
        contents, why = await ask(source, opened, question)
        if why == TOO_MANY:
            self._not_before[source["id"]] = self._loop.time() + insights.AGAIN_MS / 1000
        return contents, why

    def _ready(self, source: Mapping[str, Any]) -> Opened:
        """The source with its connections. SourceError: no secret can be read, or it asked us to slow down."""
        known = self._opened.get(source["id"])
        if known is None or known[0] != source["version"]:
            if known is not None:
                self._begin(known[1].close())
            known = self._opened[source["id"]] = (source["version"], open_source(source, self._box))
            self._not_before.pop(source["id"], None)
        if self._not_before.get(source["id"], 0) > self._loop.time():
            raise SourceError(TOO_MANY)
        return known[1]

    def _let_go(self, source_id: str) -> None:
        """A source was changed or removed: its connections end; if there still is one it is opened anew when asked."""
        known = self._opened.pop(source_id, None)
        if known is not None:
            self._begin(known[1].close())
        self._not_before.pop(source_id, None)

    def _write(
        self, source: Mapping[str, Any], subject: Subject, contents: list[Line] | None, error: str | None
    ) -> None:
        with self._store.write() as tx:
            insights.answered(tx, source, subject, contents, error)

    async def _close(self) -> None:
        for _, opened in self._opened.values():
            await opened.close()


def _begins(row: EventRow) -> bool:
    """Whether a call begins here whose far end somebody may know."""
    if row.kind == kinds.CALL_ARRIVED:
        return True
    return row.kind == kinds.CALL_DIAL_WANTED and row.event.data.get("direction") == Direction.OUTBOUND
