"""Texts by Twilio: the SDK speaks its API and checks its signatures; we tell what is certain from what is not."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from logging import getLogger
from typing import Any, Final

import httpx
from starlette.datastructures import FormData
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.http import HttpClient
from twilio.http.response import Response
from twilio.request_validator import RequestValidator, get_signature_algorithm
from twilio.rest import Client

from aircall_core.desk.messages import InboundFile
from aircall_core.domain import opt_out
from aircall_core.domain.message import MOST_FILES, Outcome, State, Why
from aircall_core.messaging.port import Text, of_fault, of_status

# https://www.twilio.com/docs/api/errors: those that have words of their own here.
_CODES: Final[Mapping[int, Why]] = {
    21211: Why.NOT_A_NUMBER,
    21614: Why.NOT_A_NUMBER,
    21610: Why.OPTED_OUT,
    21617: Why.TOO_LONG,
}
_STATES: Final = {
    "sent": State.SENT,
    "delivered": State.DELIVERED,
    "read": State.DELIVERED,
    "undelivered": State.FAILED,
    "failed": State.FAILED,
}


# Words that Twilio answers by itself, and heeds: its own, unless a messaging service has others ("OptOutType" says so).
_ANSWERED: Final[Mapping[str, opt_out.Wish]] = {
    **dict.fromkeys(("stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout"), "out"),
    **dict.fromkeys(("start", "yes", "unstop"), "in"),
}


class _Http(HttpClient):  # type: ignore[misc]
    """The SDK's requests by httpx, which tells a connection that never stood from one that broke."""

    def __init__(self, client: httpx.Client) -> None:
        super().__init__(getLogger("twilio.http_client"), is_async=False)
        self._client = client

    def request(
        self,
        method: str,
        uri: str,
        params: Mapping[str, object] | None = None,
        data: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        """One request; faults of the network go through as httpx has them."""
        answer = self._client.request(method, uri, params=params, data=data, headers=headers, auth=auth)  # type: ignore[arg-type]
        return Response(answer.status_code, answer.text, dict(answer.headers))


class Twilio:
    """One Twilio account. ``api_url`` replaces https://api.twilio.com, for tests and for proxies."""

    def __init__(
        self, client: httpx.Client, account_sid: str, token: str, *, service_sid: str = "", api_url: str = ""
    ) -> None:
        self._client = Client(account_sid, token, http_client=_Http(client))
        if api_url:
            self._client.api.base_url = api_url.rstrip("/")
        self._service, self._account = service_sid, account_sid

    def send(self, text: Text) -> Outcome:
        """Post the message. Twilio takes it into its own queue and reports of it later."""
        asked: dict[str, Any] = {"to": text.to}
        asked |= {"messaging_service_sid": self._service} if self._service else {"from_": text.sender}
        if text.body:
            asked["body"] = text.body
        if text.files:
            asked["media_url"] = [one.url for one in text.files]
        if text.status_url:
            asked["status_callback"] = text.status_url
        return self._tried(lambda: str(self._client.messages.create(**asked).sid))

    def check(self) -> Outcome:
        """Ask for the account: it is there, and the token is its."""
        return self._tried(lambda: str(self._client.api.accounts(self._account).fetch().sid))

    def _tried(self, ask: Callable[[], str]) -> Outcome:
        try:
            return Outcome(State.SENT, remote_id=ask())
        except (TwilioRestException, TwilioServiceException) as refused:
            return _refusal(refused)
        except httpx.HTTPError as fault:
            return of_fault(fault)
        except (TwilioException, ValueError):  # an answer that is none of Twilio's
            return Outcome(State.UNKNOWN, Why.BROKEN)


def _refusal(wrong: TwilioRestException | TwilioServiceException) -> Outcome:
    code = str(wrong.code) if wrong.code else None
    if wrong.code in _CODES:
        return Outcome(State.FAILED, _CODES[wrong.code], code)
    return of_status(wrong.status, code, None) or Outcome(State.UNKNOWN, Why.BROKEN, code)


# ---- what Twilio sends us


@dataclass(frozen=True, slots=True)
class Inbound:
    """A text that came in, as a gateway tells of it. ``wish``: what it has read in it and answered the customer."""

    remote_id: str
    sender: str
    to: str
    body: str
    files: tuple[InboundFile, ...]
    wish: opt_out.Wish | None = None


def is_signed(token: str, url: str, form: FormData, headers: Mapping[str, str]) -> bool:
    """Whether who holds the auth token has sent this to this address."""
    algorithm = get_signature_algorithm(headers.get("x-twilio-webhooks-signature-settings", ""))
    signature = headers.get("x-twilio-signature", "")
    return bool(signature) and bool(RequestValidator(token).validate(url, form, signature, algorithm))


def inbound(form: FormData) -> Inbound | None:
    """The text of a webhook; None when it is none. Parameters that we do not know are left alone."""
    remote_id, sender, to = (_of(form, name) for name in ("MessageSid", "From", "To"))
    if not remote_id or not to:
        return None
    count = _of(form, "NumMedia")
    most = min(int(count), MOST_FILES) if count.isascii() and count.isdigit() and len(count) < 4 else 0
    files = (InboundFile(_of(form, f"MediaUrl{n}"), "", _of(form, f"MediaContentType{n}")) for n in range(most))
    body = _of(form, "Body")
    wish = _ANSWERED.get((_of(form, "OptOutType") or body).strip().casefold())
    return Inbound(remote_id[:128], sender, to, body, tuple(one for one in files if one.source), wish)


def report(form: FormData) -> tuple[str, State, str | None] | None:
    """A status callback: Twilio's id of the text, its state, an error code. None: it says nothing that we note."""
    state = _STATES.get(_of(form, "MessageStatus"))
    return None if state is None else (_of(form, "MessageSid")[:128], state, _of(form, "ErrorCode") or None)


def _of(form: FormData, name: str) -> str:
    value = form.get(name, "")
    return value if isinstance(value, str) else ""
