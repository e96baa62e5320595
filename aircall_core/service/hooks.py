"""What gateways of texts tell us: texts that came in, and what became of those that went out. All of it is signed.

Who cannot sign learns nothing: not even whether there is such an account.
"""

from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.responses import Response

from aircall_core import numbers
from aircall_core.desk import messages, outbox
from aircall_core.desk.notes import storable
from aircall_core.desk.secrets import SecretKeyError
from aircall_core.domain.message import State
from aircall_core.messaging import twilio, webhook
from aircall_core.messaging.twilio import Inbound
from aircall_core.service.answers import Refused
from aircall_core.service.endpoint import Ask
from aircall_core.store import messages as rows

_NOTHING_TO_SAY: Final = '<?xml version="1.0" encoding="UTF-8"?><Response/>'
_MOST_FIELDS: Final = 200


async def twilio_text(ask: Ask) -> Response:
    """POST /hooks/twilio/{account}: Twilio's webhook for a message that comes in. Answered with empty TwiML."""
    form = await _form(ask)
    await run_in_threadpool(_take, ask, *await run_in_threadpool(_twilio, ask, form, twilio.inbound))
    return Response(_NOTHING_TO_SAY, media_type="text/xml")


async def twilio_report(ask: Ask) -> None:
    """POST /hooks/twilio/{account}/status?message=&try=: what became of a text that Twilio took."""
    form = await _form(ask)
    account, said = await run_in_threadpool(_twilio, ask, form, twilio.report)
    if said is not None:
        remote_id, state, code = said
        query = ask.request.query_params
        await run_in_threadpool(_note, ask, account, state, query.get("message"), remote_id, code)


async def text(ask: Ask) -> dict[str, str | None]:
    """POST /hooks/messages/{account}: {id, from, to, body, media: [{url, name, content_type}]}; 200 {message}."""
    raw = await ask.request.body()
    account = await run_in_threadpool(_signed, ask, raw)
    given = webhook.inbound(raw)
    if given is None:
        raise Refused(422, "invalid", "This is not a text: see the documentation of the webhook.")
    return {"message": await run_in_threadpool(_take, ask, account, given)}


async def report(ask: Ask) -> None:
    """POST /hooks/messages/{account}/status?try=: {message or id, state: sent, delivered or failed, code}."""
    raw = await ask.request.body()
    account = await run_in_threadpool(_signed, ask, raw)
    given = webhook.report(raw)
    if given is None:
        raise Refused(422, "invalid", "This is not a report: see the documentation of the webhook.")
    message, remote_id, state, code = given
    if not await run_in_threadpool(_note, ask, account, state, message, remote_id, code):
        raise Refused(404, "not_found", "There is no such text.")


async def _form(ask: Ask) -> FormData:
    try:
        return await ask.request.form(max_files=0, max_fields=_MOST_FIELDS, max_part_size=64 * 1024)
    except HTTPException as wrong:
        raise _forged() from wrong


def _twilio(ask: Ask, form: FormData, read: Any) -> tuple[dict[str, Any], Any]:
    account, token = _account(ask, "twilio")
    path = ask.request.url.path + (f"?{ask.request.url.query}" if ask.request.url.query else "")
    base = ask.desk.settings.public_url or f"{ask.request.url.scheme}://{ask.request.url.netloc}"
    if not twilio.is_signed(token, base + path, form, ask.request.headers):
        raise _forged()
    return account, read(form)


def _signed(ask: Ask, raw: bytes) -> dict[str, Any]:
    account, secret = _account(ask, "webhook")
    if not webhook.is_signed(secret, raw, ask.request.headers):
        raise _forged()
    return account


def _account(ask: Ask, kind: str) -> tuple[dict[str, Any], str]:
    """The account of this kind that the path names, and its secret."""
    with ask.desk.store.read() as conn:
        account = rows.account(conn, ask.id("account"))
    if account is None or account["kind"] != kind or not account["enabled"] or not account["secret"]:
        raise _forged()
    try:
        return account, ask.desk.box.open(account["secret"])
    except SecretKeyError as wrong:
        raise _forged() from wrong


def _take(ask: Ask, account: dict[str, Any], given: Inbound | None) -> str | None:
    """File a text that came in; its id, None for one of a blocked sender."""
    if given is None:
        raise Refused(422, "invalid", "This is not a text.")
    with ask.desk.store.write() as tx:
        line = rows.line_of(tx.conn, account["id"], numbers.normalise(given.to, ""))
        if line is None:
            raise Refused(404, "no_such_line", "No line with this number gets its texts through this account.")
        return messages.receive(
            tx, line_id=line["id"], account_id=account["id"], number=_sender(given.sender, line["country"]),
            body=given.body, remote_id=given.remote_id, at=tx.now_ms(), actor="desk", files=given.files,
            wish=given.wish,
        )  # fmt: skip


def _sender(text: str, country: str) -> str:
    """The number that a text came from; a name, which some senders have in its place, as it is."""
    if any(one.isalpha() for one in text):
        return "".join(one for one in storable(text) if one.isprintable()).strip()[:64]
    return numbers.normalise(text, country)


def _note(
    ask: Ask, account: dict[str, Any], state: State, message_id: str | None, remote_id: str | None, code: str | None
) -> bool:
    """``try`` stands in the address that we give with each text: a late word of an earlier try says nothing now."""
    asked = ask.request.query_params.get("try", "")
    tried = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 9 else None
    with ask.desk.store.write() as tx:
        return outbox.reported(
            tx, account["id"], state, tx.now_ms(), "desk", message_id=message_id, remote_id=remote_id, code=code,
            tried=tried,
        )  # fmt: skip


def _forged() -> Refused:
    return Refused(403, "forged", "This request is not signed as it should be.")
