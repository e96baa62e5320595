"""`python -m bench.large_store URL`: fill a new store with millions of interactions, as years of work would leave it.

Calls and texts in conversations of very different lengths, on lines of very different sizes, with contacts, notes,
unread marks and the search index. By bulk loading and without durability: use cases would take days to make the same
rows. The same numbers give the same store, but for the random part of ids.
"""

import argparse
import json
import random
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from itertools import accumulate, islice
from typing import Any

from sqlalchemy import create_engine, make_url

from aircall_core.domain.words import number_words, plain, words
from aircall_core.ids import new_id
from aircall_core.store import migrate, urls

FIRST_AT = 1_700_000_000_000  # ms
YEARS_MS = 3 * 365 * 86_400_000
LINES, RARE_LINE = 12, 11  # the last line has few conversations
SHARE_OF_CALLS = 0.55
LONG = 50_000  # entries of the longest conversation
BATCH = 20_000

Rows = Iterable[tuple[Any, ...]]


@dataclass
class Filled:
    """What a store holds, for whoever asks it."""

    lines: list[str] = field(default_factory=list)
    users: dict[str, str] = field(default_factory=dict)  # what they are -> id
    conversations: list[str] = field(default_factory=list)
    long: str = ""


@dataclass(frozen=True)
class Sink:
    """A database that is being filled."""

    load: Callable[[str, Sequence[str], Rows], None]
    run: Callable[[str], None]
    is_sqlite: bool


def fill(url: str, interactions: int, conversations: int, told: Callable[[str], None]) -> Filled:
    """Make the tables in an empty database and fill them. ``told`` hears of the progress."""
    migrate.upgrade(url)
    with _opened(url) as sink:
        return _Filling(sink, interactions, conversations, told).run()


class _Filling:
    def __init__(self, sink: Sink, interactions: int, conversations: int, told: Callable[[str], None]) -> None:
        self.sink, self.told = sink, told
        self.interactions, self.count = interactions, conversations
        self.chosen = random.Random(5)
        self.filled = Filled()
        self.began = time.monotonic()

    def run(self) -> Filled:
        self._people()
        self._conversations()
        self._interactions()
        self._unread()
        self.say("search index")
        if self.sink.is_sqlite:
            self.sink.run("INSERT INTO search_index (search_index) VALUES ('rebuild')")
        return self.filled

    def say(self, what: str) -> None:
        self.told(f"{time.monotonic() - self.began:6.0f} s  {what}")

    def load(self, table: str, columns: str, rows: Rows, *, of: int = 0) -> None:
        """Fill a table batch by batch."""
        names, left, done = columns.split(), iter(rows), 0
        while batch := list(islice(left, BATCH)):
            self.sink.load(table, names, batch)
            done += len(batch)
            if of and done % (BATCH * 10) < BATCH:
                self.say(f"{table}: {done:,} of {of:,}")

    def _people(self) -> None:
        filled = self.filled
        filled.lines = [new_id(FIRST_AT) for _ in range(LINES)]
        self.load(
            "lines", "id name number country created_at",
            ((one, f"Line {n}", f"+3318488{n:04}", "FR", 0) for n, one in enumerate(filled.lines)),
        )  # fmt: skip
        roles = ["administrator", "supervisor", "analyst", *["agent"] * 20]
        ids = [new_id(FIRST_AT) for _ in roles]
        self.load(
            "users", "id name email role state created_at",
            ((one, f"User {n}", f"user{n}@example.org", role, "active", 0)
             for n, (one, role) in enumerate(zip(ids, roles, strict=True))),
        )  # fmt: skip
        filled.users = dict(zip(roles[:3], ids, strict=False)) | {"agent of two lines": ids[3], "agent of one": ids[4]}
        filled.users["agent of the rare line"] = ids[5]
        own = {ids[3]: (0, 5), ids[4]: (3,), ids[5]: (RARE_LINE,)}
        own |= {one: (n % RARE_LINE,) for n, one in enumerate(ids[6:])}
        self.agents = ids[3:]
        self.load(
            "line_users", "line_id user_id",
            ((filled.lines[line], user) for user, lines in own.items() for line in lines),
        )  # fmt: skip
        self.own = own

    def _conversations(self) -> None:
        """Conversations, the contacts behind most of them, and what each is about to hold."""
        pick, filled = self.chosen, self.filled
        sizes = [1 / (n + 1) for n in range(RARE_LINE)] + [0.0005]
        line_of = pick.choices(range(LINES), sizes, k=self.count)
        filled.conversations = [new_id(FIRST_AT + n) for n in range(self.count)]
        filled.long = filled.conversations[0]
        parties = [f"+336{n:08}" for n in range(self.count)]
        known = [n for n in range(self.count) if n % 5 < 3]
        contact = {n: new_id(FIRST_AT + n) for n in known}
        first = ["Ana", "Bob", "Chloé", "Dieter", "Élodie", "Farid", "Grace", "Hugo", "Inés", "Jürgen", "Kim", "Lucía"]
        last = [
            f"{a}{b}" for a in ("Mar", "Gar", "Dup", "Sch", "Ro", "Ber", "Fer") for b in ("tin", "cía", "ont", "mitt")
        ]
        names = {n: f"{pick.choice(first)} {pick.choice(last)}" for n in known}
        self.load(
            "contacts", "id name name_key company company_key custom created_at",
            ((contact[n], names[n], plain(names[n]), f"Company {n % 9000}", f"company {n % 9000}", "{}", 0)
             for n in known),
        )  # fmt: skip
        self.load(
            "contact_phones", "number contact_id tail", ((parties[n], contact[n], parties[n][-8:]) for n in known)
        )
        # Half of all that happens, happens in a twentieth of the conversations.
        weight = [20 if n % 20 == 0 else 1 for n in range(self.count)]
        self.weights = list(accumulate(weight))
        self.last: dict[int, tuple[int, str | None, str | None, str, bool]] = {}
        self.line_of, self.parties, self.contact, self.names = line_of, parties, contact, names
        self.say(f"{self.count:,} conversations, {len(known):,} contacts")

    def _where(self, n: int, every: int) -> int:
        if n % every == 0:
            return 0
        return self.chosen.choices(range(self.count), cum_weights=self.weights)[0]

    def _interactions(self) -> None:
        self.load("search_texts", "id kind ref conversation_id contact_id line_id at words scope", self._known())
        step = YEARS_MS // self.interactions
        every = max(2, self.interactions // (LONG // 2))
        pick, sayings = self.chosen, self._sayings()
        happened: list[tuple[int, int, str, bool]] = []
        search_id = 2 * self.count

        def flush() -> None:
            nonlocal search_id
            calls: list[tuple[Any, ...]] = []
            events: list[tuple[Any, ...]] = []
            legs, texts, notes, found = [], [], [], []
            for n, where, one, is_call in happened:
                at = FIRST_AT + n * step
                conversation, line = self.filled.conversations[where], self.filled.lines[self.line_of[where]]
                seen_by, party = f"line:{line}", self.parties[where]
                out = n % 4 == 0
                user = self.agents[n % len(self.agents)]
                if is_call:
                    missed = not out and n % 7 == 0
                    answered = None if missed else at + 8_000
                    calls.append((
                        one, line, conversation, self.contact.get(where), "outbound" if out else "inbound",
                        user if out else None, "ended", "" if out else party, party if out else "",
                        None if missed else user, "missed" if missed else "answered", at, answered, at + 95_000,
                        "worker-0@bench", 1, "saved" if not missed else "off",
                    ))  # fmt: skip
                    legs.append((f"g{one[1:]}", one, user, "stopped" if missed else "accepted", at))
                    begun = "call.dial_wanted" if out else "call.arrived"
                    what = '{"direction": "outbound"}' if out else '{"trunk": "t", "anonymous": false}'
                    events.append(
                        (at, begun, 1, one, conversation, line, user if out else None, "worker:w", seen_by, what)
                    )
                    ended = f'{{"outcome": "{"missed" if missed else "answered"}", "by": "caller"}}'
                    events.append(
                        (at + 95_000, "call.ended", 1, one, conversation, line, None, "worker:w", seen_by, ended)
                    )
                    self.last[where] = (at, one, self.last.get(where, (0, None, None, "", False))[2],
                                        "outbound" if out else "inbound", missed)  # fmt: skip
                    if n % 20 == 1:
                        said = pick.choice(sayings)
                        note = new_id(at)
                        notes.append((note, one, conversation, user, said, at, at))
                        search_id += 1
                        found.append(_found(search_id, "note", note, conversation, line, at, said))
                else:
                    said = f"{pick.choice(sayings)} order {n}"
                    texts.append((
                        one, conversation, line, "outbound" if out else "inbound", party, said,
                        "delivered" if out else "received", user if out else None, at,
                    ))  # fmt: skip
                    kind = "message.written" if out else "message.received"
                    data = json.dumps({"message": one, "files": 0})
                    events.append((at, kind, 1, None, conversation, line, user if out else None, "desk", seen_by, data))
                    search_id += 1
                    found.append(_found(search_id, "message", one, conversation, line, at, said))
                    before = self.last.get(where, (0, None, None, "", False))
                    self.last[where] = (at, before[1], one, "outbound" if out else "inbound", before[4])
            self.load(
                "calls",
                "id line_id conversation_id contact_id direction started_by state from_number to_number answered_by"
                " outcome arrived_at answered_at ended_at owner_node owner_epoch recording",
                calls,
            )
            self.load("call_legs", "id call_id user_id state rang_at", legs)
            self.load("messages", "id conversation_id line_id direction party body state user_id at", texts)
            self.load("events", "at kind v call_id conversation_id line_id user_id actor audience data", events)
            self.load("notes", "id call_id conversation_id user_id text created_at updated_at", notes)
            self.load("search_texts", "id kind ref conversation_id contact_id line_id at words scope", found)
            happened.clear()

        for n in range(self.interactions):
            is_call = pick.random() < SHARE_OF_CALLS
            happened.append((n, self._where(n, every), new_id(FIRST_AT + n * step), is_call))
            if len(happened) == BATCH:
                flush()
                if (n + 1) % (BATCH * 10) == 0:
                    self.say(f"{n + 1:,} of {self.interactions:,} interactions")
        flush()
        self.load(
            "conversations",
            "id line_id party contact_id opened_at last_at last_call_id last_message_id direction missed closed_at"
            " assigned_to",
            self._settled(),
        )

    def _known(self) -> Iterator[tuple[Any, ...]]:
        """The search index's rows of contacts and conversations: most are older than what was written."""
        search_id = 0
        for n, one in enumerate(self.filled.conversations):
            search_id += 1
            line = self.filled.lines[self.line_of[n]]
            found = " ".join(number_words(self.parties[n], "0" + self.parties[n][3:]))
            yield search_id, "conversation", one, one, None, line, FIRST_AT, found, f"kconversation l{line} c{one}"
            if n in self.contact:
                search_id += 1
                said = " ".join([*words(f"{self.names[n]} Company {n % 9000}"), found])
                yield (
                    search_id,
                    "contact",
                    self.contact[n],
                    None,
                    self.contact[n],
                    None,
                    FIRST_AT,
                    said,
                    "kcontact lall",
                )

    def _settled(self) -> Iterator[tuple[Any, ...]]:
        """Conversations as what came last left them: most are closed, some are somebody's."""
        for n, one in enumerate(self.filled.conversations):
            at, call, text, direction, missed = self.last.get(n, (FIRST_AT + n, None, None, "inbound", False))
            closed = at + 3_600_000 if n % 10 < 7 else None
            owner = self.agents[n % len(self.agents)] if closed is None and n % 3 == 0 else None
            line = self.filled.lines[self.line_of[n]]
            yield (
                one,
                line,
                self.parties[n],
                self.contact.get(n),
                FIRST_AT,
                at,
                call,
                text,
                direction,
                missed,
                closed,
                owner,
            )

    def _unread(self) -> None:
        """Agents are nearly through; who watches has thousands."""
        users = self.filled.users
        some = {users["administrator"]: 5_000, users["supervisor"]: 2_000} | dict.fromkeys(self.own, 150)
        sees = {user: {self.filled.lines[line] for line in lines} for user, lines in self.own.items()}
        line_ids = [self.filled.lines[line] for line in self.line_of]

        def rows() -> Iterator[tuple[Any, ...]]:
            for user, most in some.items():
                mine = [n for n in range(self.count) if n % 10 >= 7 and (user not in sees or line_ids[n] in sees[user])]
                for n in self.chosen.sample(mine, min(most, len(mine))):
                    yield user, self.filled.conversations[n], FIRST_AT

        self.load("unread", "user_id conversation_id since", rows())

    def _sayings(self) -> list[str]:
        """Sentences of made-up words, some of which everybody uses and most of which nearly nobody does."""
        pick = self.chosen
        parts = ["ba", "ce", "di", "fo", "gu", "la", "me", "ni", "po", "ru", "sa", "te", "vi", "zo"]
        vocabulary = ["the", "invoice", "refund", "order", "please", "thanks", "call", "delivery", "tomorrow"]
        vocabulary += ["".join(pick.choices(parts, k=pick.randint(2, 4))) for _ in range(6_000)]
        frequency = list(accumulate(1 / (n + 2) for n in range(len(vocabulary))))
        return [" ".join(pick.choices(vocabulary, cum_weights=frequency, k=pick.randint(5, 16))) for _ in range(40_000)]


def _found(
    number: int, kind: str, ref: str, conversation: str, line: str, at: int, said: str
) -> tuple[Any, ...]:  # fmt: skip
    return number, kind, ref, conversation, None, line, at, " ".join(words(said)), f"k{kind} l{line} c{conversation}"


@contextmanager
def _opened(url: str) -> Iterator[Sink]:
    """The database without what slows down loading; all of it is there again after, and counted."""
    engine = create_engine(urls.parse(url) if "://" in url else make_url(url))
    opened: AbstractContextManager[Sink] = _sqlite(engine) if engine.dialect.name == "sqlite" else _postgres(engine)
    try:
        with opened as sink:
            yield sink
    finally:
        engine.dispose()


@contextmanager
def _sqlite(engine: Any) -> Iterator[Sink]:
    raw = engine.raw_connection()
    db = raw.driver_connection
    for pragma in (
        "journal_mode=OFF",
        "synchronous=OFF",
        "cache_size=-1500000",
        "foreign_keys=OFF",
        "temp_store=MEMORY",
    ):
        db.execute(f"PRAGMA {pragma}")
    later = db.execute(
        "SELECT name, type, sql FROM sqlite_master WHERE sql IS NOT NULL AND type IN ('index', 'trigger')"
    ).fetchall()
    for name, kind, _ in later:
        db.execute(f'DROP {kind} "{name}"')

    def load(table: str, columns: Sequence[str], rows: Rows) -> None:
        marks = ", ".join("?" * len(columns))
        db.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows)  # noqa: S608  our own names

    yield Sink(load, lambda statement: db.execute(statement) and None, True)
    for _, _, statement in later:
        db.execute(statement)
    db.commit()
    db.execute("ANALYZE")
    db.commit()
    db.execute("PRAGMA journal_mode=WAL")
    raw.close()


@contextmanager
def _postgres(engine: Any) -> Iterator[Sink]:
    raw = engine.raw_connection()
    db = raw.driver_connection
    db.execute("SET session_replication_role = replica")  # no checks of foreign keys: the rows are ours
    db.execute("SET maintenance_work_mem = '1GB'")
    later = db.execute(
        "SELECT indexname, indexdef FROM pg_indexes JOIN pg_class ON relname = indexname"
        " WHERE schemaname = 'public' AND NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = pg_class.oid)"
    ).fetchall()
    for name, _ in later:
        db.execute(f'DROP INDEX "{name}"')

    def load(table: str, columns: Sequence[str], rows: Rows) -> None:
        with db.cursor().copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)

    yield Sink(load, lambda statement: db.execute(statement) and None, False)
    for _, statement in later:
        db.execute(statement)
    db.commit()
    db.autocommit = True
    db.execute("VACUUM ANALYZE")
    raw.close()


def main() -> None:
    """Fill the database of the URL."""
    parser = argparse.ArgumentParser(prog="python -m bench.large_store", description=__doc__.splitlines()[0])
    parser.add_argument("url", help="of an empty database: sqlite:///large.db or postgresql://...")
    parser.add_argument("--interactions", type=int, default=5_000_000)
    parser.add_argument("--conversations", type=int, default=200_000)
    given = parser.parse_args()
    filled = fill(
        given.url, given.interactions, given.conversations, lambda what: print(what, file=sys.stderr, flush=True)
    )
    print(json.dumps({"lines": filled.lines, "users": filled.users, "long": filled.long}))


if __name__ == "__main__":
    main()
