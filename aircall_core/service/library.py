"""Recordings for browsers: files that can be sought in, and their waveforms."""

from pathlib import Path

from starlette.responses import FileResponse, JSONResponse, Response

from aircall_core import waveforms
from aircall_core.desk.errors import not_found
from aircall_core.service.answers import Refused
from aircall_core.service.endpoint import Ask
from aircall_core.store import parties, people
from aircall_core.store.queries import library

# Private to the session that asked: a shared cache must not keep a customer's voice.
_PRIVATE = {"cache-control": "private, max-age=3600"}
_TYPES = {".wav": "audio/wav", ".flac": "audio/flac", ".ogg": "audio/ogg", ".mp3": "audio/mpeg"}


def recording(ask: Ask) -> FileResponse:
    """GET /desk/recordings/{call}: the call's recording, or ?recording=ID for one of several. Answers Range."""
    path = _file(ask)
    kind = _TYPES.get(path.suffix.lower(), "application/octet-stream")
    return FileResponse(path, media_type=kind, headers=_PRIVATE, filename=path.name, content_disposition_type="inline")


def peaks(ask: Ask) -> Response:
    """GET /desk/recordings/{call}/peaks: the recording's waveform, {"peaks": [0..255, ...]}; null where its file is not
    a WAV. Made once, and kept beside the file."""
    path = _file(ask)
    return JSONResponse({"peaks": waveforms.of(path)}, headers=_PRIVATE)


def _file(ask: Ask) -> Path:
    """The recording that is asked for. Refused: 404, 403 no_right, 410 deleted or gone."""
    call_id, who = ask.id("call"), ask.who
    with ask.desk.store.read() as conn:
        found = library.recording(conn, call_id, ask.request.query_params.get("recording"))
        if found is None:
            raise not_found("The recording")
        own = parties.took_part(conn, call_id, who.user_id)
        if not own and not people.sees_line(conn, who.user_id, who.role, found["line_id"]):
            raise not_found("The recording")
        answered = found["answered_at"] is not None
        if not own and not parties.may_hear(conn, call_id, found["kind"], answered, who.user_id, who.role):
            raise Refused(403, "no_right", "Only who took part in a call may play its recording.")
    if found["deleted_at"] is not None:
        raise Refused(410, "deleted", "This recording was deleted, since recordings are kept for a limited time.")
    path = _inside(ask.desk.settings.data_dir, found["path"])
    if not path.is_file():
        raise Refused(410, "gone", "The recording's file is not there any more.")
    return path


def _inside(folder: Path, name: str) -> Path:
    """A file below the data folder. Rows are ours, but a restored backup may be anybody's."""
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise not_found("The recording")
    return path
