"""Backup of a store in use, restore into either database."""

import gzip
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from aircall_core import ids
from aircall_core.desk import reindex
from aircall_core.domain import words
from aircall_core.store import LogTruncated, Store, StoreAway, migrate, open_store, search
from aircall_core.store.backup import BackupError, backup, restore
from aircall_core.store.tables import (
    contact_phones,
    contacts,
    due,
    events,
    lines,
    metadata,
    sessions,
    settings,
    trunks,
    users,
)
from tests.store.helpers import append, event
from tests.support.databases import Postgres


def fill(store: Store) -> None:
    """Some rows of every shape: NULLs, JSON, booleans, references, odd texts."""
    user, contact, line = ids.new_id(), ids.new_id(), ids.new_id()
    with store.write() as tx:
        tx.execute(
            users.insert(),
            {"id": user, "name": "Zoë \u2028 'x'", "email": "z@x", "role": "agent", "state": "active", "created_at": 1}
            | {"on_duty": True},
        )
        tx.execute(contacts.insert(), {"id": contact, "name": "A\nB", "created_at": 2})
        tx.execute(contact_phones.insert(), {"number": "+33123456789", "contact_id": contact})
        tx.execute(lines.insert(), {"id": line, "name": "Sales", "number": "+33199", "country": "FR", "created_at": 3})
        tx.execute(
            trunks.insert(),
            [
                {"id": ids.new_id(), "name": "a", "kind": "address", "created_at": 4, "cidrs": ["192.0.2.0/24"]},
                {"id": ids.new_id(), "name": "b", "kind": "register", "created_at": 4, "cidrs": None},
            ],
        )
        tx.execute(
            sessions.insert(),
            {"id": ids.new_id(), "token_hash": "t", "user_id": user, "created_at": 5, "seen_at": 5, "expires_at": 9},
        )
        tx.execute(settings.insert(), {"key": "install_id", "value": "0a1b2c3d"})
        tx.append(event(n=1, deep={"a": [None, True, 1.5]}), event(n=2))


def contents(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    with store.read() as conn:
        return {
            table.name: sorted((tuple(row) for row in conn.execute(select(table))), key=str)
            for table in metadata.sorted_tables
        }


@pytest.fixture(params=["sqlite", "postgresql"])
def other_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database to restore into."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/other/aircall.db"
        return
    server: Postgres = request.getfixturevalue("postgres_server")
    url = server.create_empty()
    yield url
    server.drop(url)


def test_a_backup_restores_into_either_database(store: Store, store_url: str, other_url: str, tmp_path: Path) -> None:
    fill(store)
    made = backup(store_url, tmp_path)
    assert made.path.stat().st_mode & 0o777 == 0o600
    assert made.last_seq == store.last_seq()
    assert made.rows["users"] == 1
    assert made.rows["events"] == 2
    got = restore(made.path, other_url)
    assert got.rows == made.rows
    with open_store(other_url) as other:
        before, after = contents(store), contents(other)
        assert before.pop("sessions") != after.pop("sessions") == []  # everybody signs in anew
        assert ("log_floor", got.last_seq) in after["settings"]
        after["settings"].remove(("log_floor", got.last_seq))
        assert after == before
        with other.read() as conn:
            assert conn.execute(select(trunks.c.cidrs).order_by(trunks.c.name)).scalars().all() == [
                ["192.0.2.0/24"],
                None,
            ]
        # A cursor on an event that the backup does not hold is void, and no number comes twice.
        assert [row.event.data["n"] for row in other.events(0)] == [1, 2]
        for cursor in (made.last_seq + 1, made.last_seq + 5):
            with pytest.raises(LogTruncated):
                other.events(cursor)
        start = other.last_seq()
        assert other.events(start) == []
        assert append(other, event(n=3))[0] > made.last_seq + 5
        assert [row.event.data["n"] for row in other.events(start)] == [3]
        for cursor in (made.last_seq + 1, made.last_seq + 5):
            with pytest.raises(LogTruncated):
                other.events(cursor)


def test_what_was_found_is_found_again_in_the_restored_store(
    store: Store, store_url: str, other_url: str, tmp_path: Path
) -> None:
    """The index is no part of a backup: a desk fills it, though it had done so once in the old store."""
    fill(store)
    with store.write() as tx:
        tx.execute(due.delete())  # the migration's own filling is done
    reindex.complete(store)
    made = backup(store_url, tmp_path)
    migrate.upgrade(other_url)
    for force in (False, True):  # the second time over a store in use, with an index
        restore(made.path, other_url, force=force)
        with open_store(other_url) as other:
            with other.read() as conn:
                assert conn.scalars(select(due.c.kind)).all() == [reindex.JOB]
                assert search.search(conn, words.query("A"), lines=None) == []
            assert reindex.complete(other) == 1
            with other.read() as conn:
                assert [hit.kind for hit in search.search(conn, words.query("A"), lines=None)] == ["contact"]


def test_a_backup_is_of_one_moment_while_a_writer_writes(store: Store, store_url: str, tmp_path: Path) -> None:
    """Each transaction sets a row and appends an event with the same number: a backup must never hold one alone."""
    with store.write() as tx:
        tx.execute(settings.insert(), {"key": "n", "value": 0})
        tx.append(event(n=0))
    enough, started = threading.Event(), threading.Event()

    def write() -> None:
        n = 0
        while not enough.is_set():
            n += 1
            with store.write() as tx:
                tx.execute(settings.update().where(settings.c.key == "n"), {"value": n})
                tx.append(event(n=n))
            started.set()

    writer = threading.Thread(target=write)
    writer.start()
    started.wait()
    try:
        made = [backup(store_url, tmp_path / f"{n}.gz") for n in range(3)]
        at_the_end = store.last_seq()
    finally:
        enough.set()
        writer.join()
    assert made[0].last_seq < made[-1].last_seq <= at_the_end
    for index, one in enumerate(made):
        url = f"sqlite:///{tmp_path}/check{index}.db"
        restore(one.path, url)
        with open_store(url) as check, check.read() as conn:
            value = conn.execute(select(settings.c.value).where(settings.c.key == "n")).scalar_one()
            numbers = [data["n"] for data in conn.execute(select(events.c.data).order_by(events.c.seq)).scalars()]
            assert numbers == list(range(value + 1))


def test_a_store_in_use_is_replaced_only_by_force(store: Store, store_url: str, tmp_path: Path) -> None:
    fill(store)
    made = backup(store_url, tmp_path / "b.gz")
    append(store, event(n=3))
    before = contents(store)
    with pytest.raises(BackupError, match="in use"):
        restore(made.path, store_url)
    assert contents(store) == before
    restore(made.path, store_url, force=True)
    assert len(contents(store)["events"]) == 2
    with pytest.raises(LogTruncated):
        store.events(made.last_seq + 1)


def damage(lines_: list[str]) -> Iterator[tuple[str, bytes]]:
    whole = gzip.compress("".join(lines_).encode())
    yield "cut off", whole[:-20]
    yield "not gzip", b"hello"
    yield "empty", b""
    yield "its end is missing", gzip.compress("".join(lines_[:-1]).encode())
    row = next(index for index, line in enumerate(lines_) if line.startswith("["))
    yield "a row is missing", gzip.compress("".join(lines_[:row] + lines_[row + 1 :]).encode())
    yield "a row is short", gzip.compress("".join([*lines_[:row], "[1]\n", *lines_[row + 1 :]]).encode())
    yield "another table", gzip.compress("".join([lines_[0], '{"table":"x","columns":[]}\n', *lines_[1:]]).encode())
    yield "another format", gzip.compress(b'{"format":"zip"}\n')
    yield "a newer format", gzip.compress(json.dumps({**json.loads(lines_[0]), "version": 2}).encode())


def test_a_damaged_file_changes_nothing(store: Store, store_url: str, tmp_path: Path) -> None:
    fill(store)
    made = backup(store_url, tmp_path / "b.gz")
    before = contents(store)
    with gzip.open(made.path, "rt", encoding="utf-8") as file:
        whole = file.readlines()
    for name, data in damage(whole):
        path = tmp_path / "damaged.gz"
        path.write_bytes(data)
        with pytest.raises(BackupError, match="whole backup"):
            restore(path, store_url, force=True)
        assert contents(store) == before, name
    with pytest.raises(BackupError):
        restore(tmp_path / "missing.gz", store_url, force=True)


def test_a_backup_of_a_newer_release_is_refused(store: Store, store_url: str, tmp_path: Path) -> None:
    fill(store)
    with migrate.alone(store_url) as conn:
        conn.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    made = backup(store_url, tmp_path / "b.gz")
    with pytest.raises(migrate.StoreIsNewer):
        restore(made.path, f"sqlite:///{tmp_path}/new.db")


def test_a_backup_overwrites_nothing_and_leaves_no_part_behind(store_url: str, tmp_path: Path) -> None:
    kept = tmp_path / "mine.gz"
    kept.write_bytes(b"mine")
    with pytest.raises(BackupError, match="exists"):
        backup(store_url, kept)
    assert kept.read_bytes() == b"mine"
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(StoreAway):
        backup(f"sqlite:///{tmp_path}/nothing-here.db", folder)
    assert list(folder.iterdir()) == []
