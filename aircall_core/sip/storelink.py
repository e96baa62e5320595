"""The worker's link to the store: one thread writes what happened, one reads what users want, one looks up lines and
trunks (a registrar's name may take long, and nobody's Accept shall wait for it).

The SIP thread only puts into a queue and takes from an inbox; it never waits for the database. All that is queued goes
into one transaction. While the store is away, the facts lie in a synced journal; they are written in order afterwards.
"""

import shutil
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from aircall_core.desk import arrivals, facts, flow_facts, nodes, talk_facts, text_facts
from aircall_core.desk.arrivals import Arrival
from aircall_core.desk.errors import DeskError, Fenced
from aircall_core.domain.events import (
    COMPANY_CHANGED,
    FLOW_CHANGED,
    LINE_CHANGED,
    MESSAGING_CHANGED,
    STAFF,
    TRUNK_CHANGED,
    TRUNK_STATE,
    Event,
)
from aircall_core.ids import now_ms
from aircall_core.logs import get_logger
from aircall_core.sip.journal import Journal
from aircall_core.sip.replies import (
    ARRIVAL,
    CLAIM,
    RECEIVED,
    SAVED,
    TRUNK,
    DiskLow,
    Fact,
    Fence,
    Heard,
    Lost,
    Message,
    NewDirectory,
    Replaced,
    TextKept,
    reply_to,
)
from aircall_core.sip.trunks import Directory
from aircall_core.store import Store, Tx, provisioning
from aircall_core.store.calls import Owner
from aircall_core.store.errors import LogTruncated, StoreAway

log = get_logger(__name__)

RETRY_S = (0.2, 0.5, 1.0, 2.0)
BEAT_S = 2.0
BREATH_S = 0.004  # between transactions under load: SQLite's waiting writers look only now and then
# Browsers' leases (15 s, renewed every 5 s) may have run out while nobody could renew them. The desk does so within a
# second of the store's return; a call that is planned before that would find everybody offline.
LEASES_RAN_OUT_S, RENEWAL_S = 5.0, 1.5

FACTS: Mapping[str, Callable[..., Any]] = {
    fact.__name__: fact
    for fact in (
        facts.answered, facts.confirmed, facts.accept_failed, facts.overflow, facts.agent_away, facts.agent_back,
        facts.returned, facts.muted, facts.command_failed, facts.recording, facts.ended,
        flow_facts.step, flow_facts.picked_up, flow_facts.chose, flow_facts.typed, flow_facts.ring_step,
        flow_facts.ring_missed, flow_facts.check, flow_facts.ring_over, flow_facts.callback, flow_facts.redirected,
        flow_facts.voicemail,
        talk_facts.held, talk_facts.keys, talk_facts.keys_sent, talk_facts.dial_began, talk_facts.dial_step,
        talk_facts.progress, talk_facts.forwarded, talk_facts.transfer_began, talk_facts.transferred,
        text_facts.text_received, text_facts.text_claim, text_facts.text_result,
    )
}  # fmt: skip
# Questions for now: while the store is away they are not asked, and later their answers help nobody.
FOR_NOW = frozenset({flow_facts.check.__name__, talk_facts.keys.__name__, talk_facts.dial_step.__name__, CLAIM})
STALE = frozenset(
    {LINE_CHANGED, TRUNK_CHANGED, COMPANY_CHANGED, FLOW_CHANGED, MESSAGING_CHANGED}
)  # what the directory is made of


@dataclass
class Load:
    """What the heartbeat tells; set by the SIP thread, read by the store thread."""

    in_use: int = 0
    serving: bool = False
    draining: bool = False
    info: dict[str, Any] | None = None


class StoreLink:
    """Both threads. `tell` is what they say to the SIP thread, from any thread."""

    def __init__(
        self,
        store: Store,
        node: nodes.Node,
        tell: Callable[[Message], None],
        directory: Callable[[], Directory],
        data_dir: Path,
        min_free_disk_mb: int = 0,
    ) -> None:
        """`directory` reads lines and trunks (and may block)."""
        self.store, self.node = store, node
        self.load = Load()
        self._told = False  # that this worker serves
        self.away = False
        self._tell, self._directory = tell, directory
        self._data_dir, self._min_free = data_dir, min_free_disk_mb * 1_000_000
        self._journal = journal_of(data_dir, node.id.split("@")[0])
        self._pending: list[Fact] = []  # in the journal, not yet in the store
        self._queue: deque[Fact] = deque()
        self._ring = threading.Condition()
        self._stop = threading.Event()
        self._disk_low, self._disk_at = False, 0.0
        self._writer = threading.Thread(target=self._write_loop, name="store-write", daemon=True)
        self._reader = threading.Thread(target=self._read_loop, name="store-read", daemon=True)
        self._stale = threading.Event()  # lines or trunks have changed
        self._looker = threading.Thread(target=self._look_loop, name="directory", daemon=True)

    def start(self, after: int) -> None:
        """Begins to write, and to follow the log after `after`."""
        self._after = after
        self._writer.start()
        self._reader.start()
        self._looker.start()

    def put(self, name: str, call_id: str, *, ref: str = "", **fields: Any) -> None:
        """Has a fact written; never waits."""
        if self.away and name in FOR_NOW:
            return
        with self._ring:
            self._queue.append(Fact(name, call_id, self.node.id, self.node.epoch, fields, ref))
            self._ring.notify()

    def announce(self) -> None:
        """The loop turns, so calls are heard: told at once the first time, and with every beat from then on."""
        if not self.load.serving:
            with self._ring:
                self.load.serving = True
                self._ring.notify()

    def stop(self, seconds: float) -> None:
        """Writes what is queued (or journals it), ends the lease, ends the threads."""
        self._stop.set()
        self._stale.set()
        with self._ring:
            self._ring.notify()
        self._writer.join(seconds)

    # ---- writing

    def _write_loop(self) -> None:
        tries, beat_at = 0, time.monotonic() + BEAT_S
        away_since = 0.0
        while True:
            stopping = self._stop.is_set()
            self._watch_disk()
            batch = self._take(beat_at, patience=RETRY_S[min(tries, len(RETRY_S)) - 1] if tries else None)
            try:
                if tries and not stopping and time.monotonic() - away_since >= LEASES_RAN_OUT_S:
                    self._beat()
                    self._stop.wait(RENEWAL_S)
                self._write(batch)
                written, batch = batch, []  # whatever fails from here on, these need not be written again
                if self._pending:
                    self._pending = []
                    self._journal.clear()
                if time.monotonic() >= beat_at or self._unsaid():
                    self._beat()
                    beat_at = time.monotonic() + BEAT_S
                if stopping:
                    with self.store.write() as tx:
                        nodes.leave(tx, self.node)
                    return
                if self._queue:  # more came meanwhile: others want to write too, and more facts fit into the next one
                    self._stop.wait(BREATH_S)
                if tries:
                    log.info("store_back", written=len(written), away_s=round(time.monotonic() - away_since, 1))
                tries, self.away = 0, False
            except Exception as problem:
                if not isinstance(problem, StoreAway):  # a mistake of ours must not end the thread: calls hang on it
                    log.exception("store_write_failed")
                self._keep(batch)
                if not tries:
                    away_since = time.monotonic()
                    log.warning("store_away", error=type(problem).__name__, waiting=len(batch))
                tries, self.away = tries + 1, True
                if stopping:
                    return

    def _take(self, beat_at: float, patience: float | None) -> list[Fact]:
        """Everything to be written: waits for something new, the heartbeat, or (store away) the next try."""
        if patience is not None:
            self._stop.wait(patience)
        with self._ring:
            if patience is None and not (self._queue or self._pending or self._unsaid() or self._stop.is_set()):
                self._ring.wait(max(0.0, beat_at - time.monotonic()))
            batch = [*self._pending, *self._queue]
            self._queue.clear()
        return batch

    def _write(self, batch: Sequence[Fact]) -> None:
        for fact, result in write_facts(self.store, batch):
            self._report(fact, result)

    def _keep(self, batch: list[Fact]) -> None:
        """The store is away: what is new goes into the journal, all of it stays at hand. But no claim of a text: one
        that was written later would have it sent long after it was asked for."""
        new = [fact for fact in batch[len(self._pending) :] if fact.name != CLAIM]
        self._pending = [*batch[: len(self._pending)], *new]
        try:
            self._journal.append(asdict(fact) for fact in new)
        except OSError as problem:  # a full disk: then they live in memory alone, and no text was taken
            log.error("journal_failed", error=problem.strerror)
            return
        for fact in new:
            if fact.name == RECEIVED:
                self._tell(TextKept(fact.ref, 202))

    def _report(self, fact: Fact, result: Any) -> None:
        reply = reply_to(fact, result)
        if reply is not None:
            self._tell(reply)

    def _unsaid(self) -> bool:
        return self.load.serving and not self._told

    def _beat(self) -> None:
        serving = self.load.serving
        with self.store.write() as tx:
            ours = nodes.beat(
                tx,
                self.node,
                in_use=self.load.in_use,
                serving=serving,
                draining=self.load.draining,
                info=self.load.info,
            )
        self._told = serving
        if not ours:
            self._tell(Replaced())

    def _watch_disk(self) -> None:
        now = time.monotonic()
        if now < self._disk_at:
            return
        self._disk_at = now + BEAT_S
        low = shutil.disk_usage(self._data_dir).free < self._min_free
        if low != self._disk_low:
            self._disk_low = low
            self._tell(DiskLow(low))

    # ---- reading

    def _read_loop(self) -> None:
        after = self._after
        while not self._stop.is_set():
            try:
                for rows in self.store.follow(after, self._stop):
                    self._tell(Heard(rows))
                    after = rows[-1].seq
                    if any(row.kind in STALE for row in rows):
                        self._stale.set()
            except LogTruncated as problem:
                log.warning("log_truncated", after=after)
                after = problem.last_seq
                self._stale.set()
            except Exception:
                log.exception("follow_failed")
                self._stop.wait(RETRY_S[-1])

    def _look_loop(self) -> None:
        while self._stale.wait() and not self._stop.is_set():
            self._stale.clear()  # before looking: what changes from here on is looked up once more
            try:
                self._tell(NewDirectory(self._directory()))
            except Exception as problem:
                if isinstance(problem, StoreAway):
                    log.warning("store_away_reading", error=str(problem)[:200])
                else:
                    log.exception("directory_failed")
                self._stale.set()
                self._stop.wait(RETRY_S[-1])


def journal_of(data_dir: Path, worker: str) -> Journal:
    """The journal of `worker-N`."""
    return Journal(data_dir / "journal" / f"{worker}.jsonl")


def replay(store: Store, journal: Journal) -> None:
    """Writes what an earlier life could not say. Its calls can be closed as lost only after that: a call that the
    store has not heard of yet would be filed as ringing, and ring for ever."""
    facts_left = [Fact(**entry) for entry in journal.read()]
    if facts_left:
        write_facts(store, facts_left)
        journal.clear()
        log.info("journal_replayed", facts=len(facts_left))


def write_facts(store: Store, batch: Sequence[Fact]) -> list[tuple[Fact, Any]]:
    """One transaction for all. If one of them cannot be written, each for itself, so that it stops no other.

    What came of each; `Fence` for a call that the store does not know as its worker's.
    """
    if not batch:
        return []
    try:
        with store.write() as tx:
            return [(fact, _apply(tx, fact)) for fact in batch]
    except StoreAway:
        raise
    except Exception:  # noqa: BLE001 - found and logged below, one by one
        return _write_singly(store, batch)


def _write_singly(store: Store, batch: Sequence[Fact]) -> list[tuple[Fact, Any]]:
    done: list[tuple[Fact, Any]] = []
    for fact in batch:
        try:
            with store.write() as tx:
                done.append((fact, _apply(tx, fact)))
        except StoreAway:
            raise
        except Fenced:
            log.warning("fact_fenced", fact=fact.name, call=fact.call_id)
            done.append((fact, Fence(fact.call_id)))
        except DeskError as problem:
            log.warning("fact_refused", fact=fact.name, call=fact.call_id, code=problem.code)
            done.append((fact, Fence(fact.call_id)))
        except Exception:
            log.exception("fact_lost", fact=fact.name, call=fact.call_id)
            done.append((fact, Lost()))
    return done


def _apply(tx: Tx, fact: Fact) -> Any:
    owner = Owner(fact.node, fact.epoch)
    if fact.name == ARRIVAL:
        return arrivals.receive(tx, Arrival(call_id=fact.call_id, owner=owner, **fact.fields))
    if fact.name == SAVED:
        return facts.recording_saved(tx, fact.call_id, actor=f"worker:{fact.node}", **fact.fields)
    if fact.name == TRUNK:
        return _trunk_state(tx, fact)
    return FACTS[fact.name](tx, owner, fact.call_id, **fact.fields)


def _trunk_state(tx: Tx, fact: Fact) -> None:
    trunk_id, state, code = fact.fields["trunk_id"], fact.fields["state"], fact.fields["code"]
    if provisioning.change_trunk(tx.conn, trunk_id, state=state, state_code=code, state_at=now_ms()):
        data = {"id": trunk_id, "state": state, "code": code}
        tx.append(Event(TRUNK_STATE, STAFF, f"worker:{fact.node}", data=data))
