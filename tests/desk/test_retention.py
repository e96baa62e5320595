"""Recordings and voicemails end when their time is over: on both databases, and whatever breaks off in between."""

from pathlib import Path

import pytest
from sqlalchemy import func, select

from aircall_core.desk import retention
from aircall_core.desk.errors import Invalid
from aircall_core.ids import new_id
from aircall_core.store import Store, audit, clock, recordings
from aircall_core.store import calls as rows
from aircall_core.store import tables as t
from aircall_core.store.queries import retention as stored
from tests.support.desk_kit import Desk

DAY = stored.DAY_MS
ADMIN = "user:boss"


class Shelf:
    """Recordings of one call, with their files."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store, self.folder = store, folder
        self.call = Desk.open(store, "Ada").arrive().call_id

    def put(self, days_old: float, kind: str = "call", path: str = "") -> str:
        """A recording of this age; its id."""
        recording = new_id()
        path = path or f"recordings/2026/11/{recording}.wav"
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(bytes(1000))
        with self.store.write() as tx:
            rows.add_recording(
                tx.conn,
                id=recording,
                call_id=self.call,
                path=path,
                duration_ms=1000,
                size_bytes=1000,
                kind=kind,
                created_at=tx.now_ms() - int(days_old * DAY),
            )
        return recording

    def keep(self, **days: int) -> None:
        with self.store.write() as tx:
            retention.change(tx, ADMIN, days)

    def run(self) -> bool:
        return retention.run(self.store, self.folder)

    def rows(self) -> dict[str, tuple[bool, bool, int]]:
        """By id: whether it is deleted, whether its row still names a file, its size."""
        query = select(t.recordings)
        with self.store.read() as conn:
            found = conn.execute(query).mappings().all()
        return {row["id"]: (row["deleted_at"] is not None, row["path"] != "", row["size_bytes"]) for row in found}

    def files(self) -> set[str]:
        return {path.stem for path in self.folder.rglob("*.wav")}


@pytest.fixture
def shelf(store: Store, tmp_path: Path) -> Shelf:
    return Shelf(store, tmp_path / "data")


KEPT, GONE = (False, True, 1000), (True, False, 0)


def test_without_a_setting_everything_is_kept(shelf: Shelf) -> None:
    old = shelf.put(4000)
    assert shelf.run() is False
    assert shelf.rows() == {old: KEPT}
    assert shelf.files() == {old}


def test_each_kind_has_its_own_time(shelf: Shelf) -> None:
    old, young = shelf.put(31), shelf.put(29.9)
    message, old_message = shelf.put(60), shelf.put(91, "voicemail")
    voicemail = shelf.put(60, "voicemail")
    shelf.keep(recordings_days=30, voicemail_days=90)
    before = shelf.store.last_seq()
    shelf.run()
    assert shelf.rows() == {old: GONE, young: KEPT, message: GONE, old_message: GONE, voicemail: KEPT}
    assert shelf.files() == {young, voicemail}
    told = [(row.kind, row.event.audience, row.event.data) for row in shelf.store.events(before)]
    assert told == [
        ("recordings.deleted", "admin", {"what": "call", "count": 2}),
        ("recordings.deleted", "admin", {"what": "voicemail", "count": 1}),
    ]
    with shelf.store.read() as conn:
        newest = audit.entries(conn)
    assert [(one["action"], one["actor"]) for one in newest] == [
        ("recordings.deleted", "system"),
        ("recordings.deleted", "system"),
        ("retention.changed", ADMIN),
    ]
    assert newest[1]["changes"] == {"kind": [None, "call"], "older_than_days": [None, 30], "deleted": [None, 2]}
    before = shelf.store.last_seq()
    shelf.run()
    assert shelf.store.last_seq() == before, "a run with nothing to do says nothing"


def test_more_than_one_chunk_and_more_than_one_run(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "_CHUNK", 3)
    monkeypatch.setattr(retention, "_MOST", 7)
    for _ in range(10):
        shelf.put(31)
    shelf.keep(recordings_days=30)
    assert shelf.run() is True
    assert len(shelf.files()) == 3, "the oldest seven are gone"
    assert shelf.run() is False
    assert shelf.files() == set()
    assert set(shelf.rows().values()) == {GONE}


class Crash(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("where", ["files", "rows"])
def test_a_crash_is_taken_up_by_the_next_run(shelf: Shelf, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    old, young = shelf.put(31), shelf.put(1)
    shelf.keep(recordings_days=30)

    def crash(*_: object) -> None:
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(retention, "delete_file", crash) if where == "files" else patch.setattr(recordings, "gone", crash)
        with pytest.raises(Crash):
            shelf.run()
    assert shelf.rows() == {old: (True, True, 1000), young: KEPT}, "marked: nobody plays it any more"
    shelf.keep(recordings_days=0)
    shelf.run()
    assert shelf.rows() == {old: GONE, young: KEPT}
    assert shelf.files() == {young}


def test_a_file_that_is_gone_already_or_cannot_go_stops_nothing(shelf: Shelf) -> None:
    missing, stuck, plain = shelf.put(33), shelf.put(32), shelf.put(31)
    (shelf.folder / f"recordings/2026/11/{missing}.wav").unlink()
    stubborn = shelf.folder / f"recordings/2026/11/{stuck}.wav"
    stubborn.unlink()
    stubborn.mkdir()  # a folder is no file: unlink fails, as it does without permission
    shelf.keep(recordings_days=30)
    shelf.run()
    assert shelf.rows() == {missing: GONE, stuck: (True, True, 1000), plain: GONE}
    stubborn.rmdir()
    shelf.run()
    assert shelf.rows()[stuck] == GONE


def test_no_row_leads_out_of_the_recordings(shelf: Shelf) -> None:
    outside = shelf.put(31, path="secret.wav")
    shelf.put(31, path="recordings/../../other.wav")
    shelf.keep(recordings_days=30)
    shelf.run()
    assert (shelf.folder / "secret.wav").exists()
    assert (shelf.folder.parent / "other.wav").exists()
    assert shelf.rows()[outside] == GONE


@pytest.mark.parametrize("days", [-1, 3651])
def test_times_that_are_none(shelf: Shelf, days: int) -> None:
    with pytest.raises(Invalid) as wrong:
        shelf.keep(recordings_days=days, voicemail_days=30)
    assert set(wrong.value.details["fields"]) == {"recordings_days"}  # type: ignore[call-overload]
    assert retention.read(shelf.store) == {"recordings_days": 0, "voicemail_days": 0}


def test_what_is_kept_is_counted(shelf: Shelf) -> None:
    shelf.put(5)
    shelf.put(3)
    shelf.put(31, "voicemail")
    shelf.keep(voicemail_days=30)
    shelf.run()
    with shelf.store.read() as conn:
        found = stored.kept(conn)
        assert (stored.too_old(conn, "call", 4), stored.too_old(conn, "call", 0)) == (1, 0)
    assert (found["call"]["count"], found["call"]["bytes"]) == (2, 2000)
    with shelf.store.read() as conn:
        now = clock.now_ms(conn)
        assert conn.scalar(select(func.count()).select_from(t.recordings)) == 3
    assert now - found["call"]["oldest_at"] == pytest.approx(5 * DAY, abs=60_000)
    assert found["voicemail"] == {"count": 0, "bytes": 0, "oldest_at": None}
