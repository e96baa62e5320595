"""Reading for browsers: a conversation's timeline, and recordings as files that can be sought in."""

from pathlib import Path
from typing import Any

from starlette.responses import FileResponse

from aircall_core.desk.errors import not_found
from aircall_core.service.answers import Refused
from aircall_core.service.endpoint import Ask
from aircall_core.store import people
from aircall_core.store.queries import conversation, library
from aircall_core.store.queries import timeline as timelines

_TYPES = {".wav": "audio/wav", ".flac": "audio/flac", ".ogg": "audio/ogg", ".mp3": "audio/mpeg"}


def timeline(ask: Ask) -> dict[str, Any]:
    """GET /desk/conversations/{conversation}/timeline?before=SEQ&limit=50"""
    conversation_id = ask.id("conversation")
    before, limit = _number(ask, "before"), _number(ask, "limit")
    with ask.desk.store.read() as conn:
        if not conversation.may_see(conn, conversation_id, ask.who.user_id, ask.who.role):
            raise not_found("The conversation")
        return timelines.timeline(conn, conversation_id, before, 50 if limit is None else limit)


def recording(ask: Ask) -> FileResponse:
    """GET /desk/recordings/{call}: the call's recording, or ?recording=ID for one of several. Answers Range."""
    call_id = ask.id("call")
    with ask.desk.store.read() as conn:
        found = library.recording(conn, call_id, ask.request.query_params.get("recording"))
        if found is None or not people.sees_line(conn, ask.who.user_id, ask.who.role, found["line_id"]):
            raise not_found("The recording")
    if found["deleted_at"] is not None:
        raise Refused(410, "deleted", "This recording was deleted, since recordings are kept for a limited time.")
    path = _inside(ask.desk.settings.data_dir, found["path"])
    if not path.is_file():
        raise Refused(410, "gone", "The recording's file is not there any more.")
    kind = _TYPES.get(path.suffix.lower(), "application/octet-stream")
    # Private to the session that asked: a shared cache must not keep a customer's voice.
    headers = {"cache-control": "private, max-age=3600"}
    return FileResponse(path, media_type=kind, headers=headers, filename=path.name, content_disposition_type="inline")


def _inside(folder: Path, name: str) -> Path:
    """A file below the data folder. Rows are ours, but a restored backup may be anybody's."""
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise not_found("The recording")
    return path


def _number(ask: Ask, name: str) -> int | None:
    text = ask.request.query_params.get(name)
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise Refused(400, "bad_request", f"{name} must be a whole number.")
    return int(text)
