"""How long recordings and voicemails are kept, and their end.

First the rows are marked, so that nobody plays them any more, then the files go, then the rows say that they are gone:
whatever breaks off between is taken up by the next run. The rows stay, so that the timeline can say what was there.
"""

import glob
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from aircall_core.desk import audit
from aircall_core.desk.errors import Invalid
from aircall_core.domain.events import ADMINS, COMPANY_CHANGED, RECORDINGS_DELETED, STAFF, Event
from aircall_core.logs import get_logger
from aircall_core.store import Store, Tx, clock, provisioning, recordings
from aircall_core.store.queries import retention as stored

log = get_logger(__name__)

KEY: Final = stored.KEY  # the due row's kind, too
LONGEST_DAYS: Final = 3650
_CHUNK: Final = 200  # rows a transaction
_MOST: Final = 20_000  # rows a run: a claim on the job does not last for ever


def read(store: Store) -> dict[str, int]:
    """Days that each is kept; 0 = without end."""
    with store.read() as conn:
        return stored.days(conn)


def change(tx: Tx, actor: str, wanted: Mapping[str, int]) -> None:
    """Change what is given."""
    known = stored.days(tx.conn)
    after = {**known, **{name: value for name, value in wanted.items() if name in known}}
    wrong = {
        name: f"Choose at most {LONGEST_DAYS} days; 0 keeps them."
        for name, days in after.items()
        if not 0 <= days <= LONGEST_DAYS
    }
    if wrong:
        raise Invalid(wrong)
    changes = audit.differences(known, after)
    if not changes:
        return
    provisioning.put_setting(tx.conn, KEY, after)
    tx.append(Event(COMPANY_CHANGED, STAFF, actor, data={}))
    audit.note(tx, actor, "retention.changed", "", "", changes)


def run(store: Store, data_dir: Path) -> bool:
    """Delete what is older than its kind is kept; whether there is more to do.

    Safe to repeat, and to run twice at once.
    """
    keep = read(store)
    marked = 0
    for kind, name in stored.OF_KIND.items():
        if keep[name]:
            marked += _mark(store, kind, keep[name], _MOST - marked)
    deleted = _delete_files(store, data_dir)
    if marked or deleted:
        log.info("recordings_deleted", marked=marked, files=deleted)
    return marked >= _MOST


def _mark(store: Store, kind: str, days: int, most: int) -> int:
    done = 0
    while done < most:
        with store.read() as conn:
            before = clock.now_ms(conn) - days * stored.DAY_MS
            ids = recordings.too_old(conn, kind, before, min(_CHUNK, most - done))
        if not ids:
            break
        with store.write() as tx:
            count = recordings.mark(tx.conn, ids, tx.now_ms())
            if count:  # else another process was faster
                tx.append(Event(RECORDINGS_DELETED, ADMINS, "system", data={"what": kind, "count": count}))
                values = {"kind": kind, "older_than_days": days, "deleted": count}
                audit.note(tx, "system", RECORDINGS_DELETED, "", "", audit.differences(None, values))
        done += len(ids)
    return done


def _delete_files(store: Store, data_dir: Path) -> int:
    """Delete the files of all that are marked, whoever marked them."""
    after, deleted = "", 0
    while True:
        with store.read() as conn:
            rows = recordings.to_delete(conn, after, _CHUNK)
        if not rows:
            return deleted
        after = rows[-1]["id"]
        gone = [row["id"] for row in rows if delete_file(data_dir, row["id"], row["path"])]
        if gone:
            with store.write() as tx:
                recordings.gone(tx.conn, gone)
            deleted += len(gone)


def delete_file(data_dir: Path, recording_id: str, path: str) -> bool:
    """Whether the file is gone now, and what was made from it. One that cannot be deleted is tried again later."""
    folder = (data_dir / "recordings").resolve()
    file = (data_dir / path).resolve()
    if not file.is_relative_to(folder):  # rows are ours, but a restored backup may be anybody's
        log.error("recording_outside", recording=recording_id)
        return True
    try:
        for made in file.parent.glob(f"{glob.escape(file.stem)}.*"):  # such as its waveform
            made.unlink(missing_ok=True)
    except OSError as problem:
        log.error("recording_not_deleted", recording=recording_id, error=problem.strerror)
        return False
    return True
