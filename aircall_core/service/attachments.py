"""Files of texts for browsers, and for gateways that fetch what we send."""

from pathlib import Path
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse

from aircall_core.desk import attachments, media_links
from aircall_core.desk.errors import not_found
from aircall_core.domain.file_type import INLINE
from aircall_core.domain.message import LARGEST_FILES
from aircall_core.ids import new_id
from aircall_core.service.answers import Refused
from aircall_core.service.endpoint import Ask
from aircall_core.store import messages as rows

LARGEST_UPLOAD: Final = LARGEST_FILES + 1024  # bytes: one more than allowed is answered in words
# Whatever a file holds, it runs nothing, loads nothing and belongs to no origin, were it opened by itself.
_SANDBOX: Final = "default-src 'none'; img-src 'self' data:; media-src 'self'; style-src 'unsafe-inline'; sandbox"


async def upload(ask: Ask) -> tuple[int, dict[str, Any]]:
    """POST /desk/conversations/{conversation}/attachments?name=, the file as the body: 201 {id, name, ...}."""
    await run_in_threadpool(_may_attach, ask)  # before the file is read
    data = await ask.request.body()
    return await run_in_threadpool(_kept, ask, data)


def _may_attach(ask: Ask) -> None:
    with ask.desk.store.read() as conn:
        attachments.may_attach(conn, ask.id("conversation"), ask.who.user_id, ask.who.role)


def _kept(ask: Ask, data: bytes) -> tuple[int, dict[str, Any]]:
    """The file first, then its row: what is listed can be sent."""
    kind, file_id = attachments.kind_of(data), new_id()
    folder = ask.desk.settings.data_dir
    path = attachments.keep(folder, file_id, data)
    name = ask.request.query_params.get("name", "")[:500]
    try:
        with ask.desk.store.write() as tx:
            attachments.may_attach(tx.conn, ask.id("conversation"), ask.who.user_id, ask.who.role)
            made = attachments.add(tx, file_id, ask.id("conversation"), ask.who.user_id, name, kind, len(data))
    except BaseException:
        attachments.forget(folder, path)
        raise
    return 201, made


def take_back(ask: Ask) -> None:
    """DELETE /desk/attachments/{attachment}: one that was uploaded and not sent."""
    with ask.desk.store.write() as tx:
        path = attachments.take_back(tx, ask.id("attachment"), ask.who.user_id, ask.who.role)
    attachments.forget(ask.desk.settings.data_dir, path)


def download(ask: Ask) -> FileResponse:
    """GET /desk/attachments/{attachment}?save=: pictures and sound are shown, unless asked to save; all else is."""
    with ask.desk.store.read() as conn:
        row = attachments.seen(conn, ask.id("attachment"), ask.who.user_id, ask.who.role)
    save = ask.request.query_params.get("save") == "1"
    return _sent(ask.desk.settings.data_dir, row, "private, max-age=3600", save=save)


def fetched(ask: Ask) -> FileResponse:
    """GET /hooks/media/{token}: a gateway fetches a file of ours, by a link that we gave it and that runs out."""
    file_id = media_links.opened(ask.desk.box, str(ask.request.path_params["token"]))
    if file_id is None:
        raise Refused(403, "forged", "This link has run out, or is not one of ours.")
    with ask.desk.store.read() as conn:
        row = rows.file(conn, file_id)
    if row is None:
        raise not_found("The file")
    return _sent(ask.desk.settings.data_dir, row, "private, no-store")


def _sent(folder: Path, row: dict[str, Any], cache: str, *, save: bool = False) -> FileResponse:
    if not row["path"]:
        raise Refused(410, row["reason"] or "not_fetched", "This file is not here.")
    path = attachments.inside(folder, row["path"])
    if not path.is_file():
        raise Refused(410, "gone", "The file is not there any more.")
    inline = row["content_type"] in INLINE and not save
    return FileResponse(
        path,
        media_type=row["content_type"],
        filename=row["name"] or "file",
        content_disposition_type="inline" if inline else "attachment",
        headers={"cache-control": cache, "content-security-policy": _SANDBOX},
    )
