"""Files that came with texts: fetched from where the gateway says, into the data folder.

The address is a stranger's word. Only public addresses are asked (outward.Guard: every address of a name is checked,
and the connection goes to a checked one), each step of a redirect anew; so much is read and no more; what a file is
its first bytes say. Credentials go to the gateway's own host alone.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from aircall_core import outward
from aircall_core.config import Settings
from aircall_core.desk import attachments, secrets
from aircall_core.desk.messages import TWILIO, event
from aircall_core.domain.events import MESSAGE_FILES
from aircall_core.domain.file_type import safe_name, sniff
from aircall_core.logs import get_logger
from aircall_core.outward import OutwardError
from aircall_core.store import Store, clock
from aircall_core.store import messages as rows
from aircall_core.store.due import Due

log = get_logger(__name__)

LARGEST: Final = 10_000_000  # bytes of one file
SECONDS: Final = 30.0
REDIRECTS: Final = 3
FIRST_PAUSE_MS: Final = 10_000  # before it is tried again; each pause is as long as all that has passed
PATIENCE_MS: Final = 12 * 3600 * 1000
_FOR_GOOD: Final = {"too_large": "too_large", "private_address": "refused", "not_https": "refused"}
_TWILIO_HOST: Final = "api.twilio.com"


class FetchError(Exception):
    """Why there is no file. ``again``: it may be there later."""

    def __init__(self, reason: str, *, again: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.again = reason, again


def fetch_due(store: Store, settings: Settings, row: Due) -> int | None:
    """A due row's job: fetch the file that it is about; when to try again (ms)."""
    with store.read() as conn:
        file = rows.file(conn, row.subject)
        account = _account(conn, file)
    if file is None or file["path"] or file["reason"] or not file["source"]:
        return None
    try:
        data = fetch(file["source"], *_access(account, settings))
        kind = sniff(data[: attachments.HEAD])
        if kind is None:
            raise FetchError("type")
    except FetchError as wrong:
        with store.read() as conn:
            now = clock.now_ms(conn)
        age = now - file["created_at"]
        if wrong.again and age < PATIENCE_MS:
            return now + max(FIRST_PAUSE_MS, int(age))
        log.warning("file_not_fetched", file=row.subject, reason=wrong.reason)
        _settled(store, file, reason=wrong.reason, source=None)
        return None
    path = attachments.keep(settings.data_dir, row.subject, data)
    name = safe_name(file["name"], kind)
    _settled(store, file, path=path, name=name, content_type=kind, size_bytes=len(data), source=None)
    return None


def fetch(url: str, auth: tuple[str, str] | None, auth_host: str, private: bool) -> bytes:
    """The file at this address. Raises FetchError: too_large, refused, unreachable."""
    try:
        return asyncio.run(_fetched(url, auth, auth_host, private))
    except OutwardError as wrong:
        reason = _FOR_GOOD.get(wrong.code)
        raise FetchError(reason or "unreachable", again=reason is None) from None


async def _fetched(url: str, auth: tuple[str, str] | None, auth_host: str, private: bool) -> bytes:
    try:
        async with asyncio.timeout(SECONDS), outward.client(private=private) as http:
            for _ in range(REDIRECTS + 1):
                request = http.build_request("GET", url)
                ours = auth if auth is not None and request.url.host == auth_host else None
                answer = await http.send(request, stream=True, auth=ours)
                try:
                    if not answer.has_redirect_location:
                        return await _body(answer)
                    url = str(httpx.URL(url).join(answer.headers["location"]))
                finally:
                    await answer.aclose()
    except (TimeoutError, httpx.TimeoutException):
        raise OutwardError("too_slow") from None
    except (httpx.HTTPError, OSError):
        raise OutwardError("unreachable") from None
    except (httpx.InvalidURL, ValueError):
        raise FetchError("refused") from None
    raise FetchError("refused")  # it leads in circles


async def _body(answer: httpx.Response) -> bytes:
    if answer.status_code != 200:
        gone = 400 <= answer.status_code < 500 and answer.status_code not in (404, 408, 425, 429)
        raise FetchError("refused" if gone else "unreachable", again=not gone)
    body = bytearray()
    async for piece in answer.aiter_bytes(16_384):
        body += piece
        if len(body) > LARGEST:
            raise OutwardError("too_large")
    return bytes(body)


def _account(conn: Any, file: Mapping[str, Any] | None) -> dict[str, Any] | None:
    message = rows.get(conn, file["message_id"]) if file is not None and file["message_id"] else None
    return rows.account(conn, message["account_id"]) if message is not None and message["account_id"] else None


def _access(account: Mapping[str, Any] | None, settings: Settings) -> tuple[tuple[str, str] | None, str, bool]:
    """Credentials and the host that gets them, and whether addresses of private networks are allowed."""
    if account is None:
        return None, "", False
    private = bool(account["settings"].get("private"))
    if account["kind"] != TWILIO or not account["secret"]:
        return None, "", private
    token = secrets.open_box(settings.data_dir, settings.secret_key).open(account["secret"])
    host = urlsplit(account["settings"].get("api_url") or f"https://{_TWILIO_HOST}").hostname or ""
    return (account["settings"].get("account_sid", ""), token), host, private


def _settled(store: Store, file: Mapping[str, Any], **values: Any) -> None:
    with store.write() as tx:
        message = rows.get(tx.conn, file["message_id"])
        if message is not None and rows.change_file(tx.conn, file["id"], **values):
            tx.append(event(MESSAGE_FILES, message, "desk", message=message["id"]))
