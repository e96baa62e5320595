"""Texts by a web address of the company's own, both ways, signed as Standard Webhooks say: docs/texts.md."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import httpx
from pydantic import BaseModel, Field, ValidationError
from standardwebhooks import Webhook, WebhookVerificationError
from standardwebhooks.webhooks import EmptyWebhookSecretError

from aircall_core.desk.messages import InboundFile
from aircall_core.domain.message import MOST_FILES, Outcome, State
from aircall_core.ids import new_id
from aircall_core.messaging.port import LARGEST_ANSWER, Text, of_fault, of_status
from aircall_core.messaging.twilio import Inbound

_STATES: Final = {"sent": State.SENT, "delivered": State.DELIVERED, "failed": State.FAILED}


class _Media(BaseModel):
    url: str = Field(min_length=1, max_length=2000)
    name: str = Field(default="", max_length=200)
    content_type: str = Field(default="", max_length=100)


class _Inbound(BaseModel):
    id: str = Field(min_length=1, max_length=128)
    sender: str = Field(alias="from", max_length=64)
    to: str = Field(min_length=1, max_length=64)
    body: str = Field(default="", max_length=20_000)
    media: list[_Media] = Field(default_factory=list, max_length=MOST_FILES)


class _Report(BaseModel):
    message: str | None = Field(default=None, max_length=64)
    id: str | None = Field(default=None, max_length=128)
    state: str
    code: str | None = Field(default=None, max_length=64)


class WebhookGateway:
    """Posts each text as JSON to one address."""

    def __init__(self, client: httpx.Client, url: str, secret: str) -> None:
        """ValueError for a secret that is none."""
        self._client, self._url, self._secret = client, url, secret
        _signer(secret)

    def send(self, text: Text) -> Outcome:
        """Post it. The receiver knows a text that comes again by its Idempotency-Key, which is its id."""
        data: dict[str, Any] = {
            "id": text.message, "from": text.sender, "to": text.to, "body": text.body,
            "media": [{"url": one.url, "name": one.name, "content_type": one.content_type} for one in text.files],
            "status_url": text.status_url or None,
        }  # fmt: skip
        return self._post("message.send", data, text.message, f"{text.message}.{text.tried}")

    def check(self) -> Outcome:
        """Post a ping: any 2xx will do."""
        name = f"ping_{new_id()}"
        return self._post("ping", {}, name, name)

    def _post(self, kind: str, data: Mapping[str, Any], key: str, name: str) -> Outcome:
        body = json.dumps({"type": kind, "data": data}, separators=(",", ":"), ensure_ascii=False)
        headers = {"content-type": "application/json", "idempotency-key": key, **signed(self._secret, name, body)}
        try:
            with self._client.stream("POST", self._url, content=body.encode(), headers=headers) as answer:
                said = _read(answer)
        except (httpx.HTTPError, httpx.InvalidURL) as fault:
            return of_fault(fault)
        code = said.get("code")
        wrong = of_status(answer.status_code, str(code) if code else None, answer.headers.get("retry-after"))
        if wrong is not None:
            return wrong
        remote = said.get("id")
        state = State.DELIVERED if said.get("state") == "delivered" else State.SENT
        return Outcome(state, remote_id=str(remote) if remote else None)


def _read(answer: httpx.Response) -> dict[str, Any]:
    """The JSON object of an answer, or nothing: its status has said what counts."""
    raw = bytearray()
    try:
        for piece in answer.iter_bytes(4096):
            raw += piece
            if len(raw) > LARGEST_ANSWER:
                return {}
        said = json.loads(raw) if raw else {}
    except (httpx.HTTPError, ValueError, RecursionError):
        return {}
    if isinstance(said, dict) and isinstance(said.get("error"), dict):
        said = said["error"]
    return said if isinstance(said, dict) else {}


def signed(secret: str, name: str, body: str) -> dict[str, str]:
    """The headers of Standard Webhooks for this body."""
    now = datetime.now(UTC)
    signature = _signer(secret).sign(name, now, body)
    return {"webhook-id": name, "webhook-timestamp": str(int(now.timestamp())), "webhook-signature": signature}


def _signer(secret: str) -> Webhook:
    try:
        return Webhook(secret)
    except EmptyWebhookSecretError:
        raise ValueError("the secret is empty") from None


def is_signed(secret: str, body: bytes, headers: Mapping[str, str]) -> bool:
    """Whether who holds the secret has sent this within the last five minutes."""
    try:
        _signer(secret).verify(body, dict(headers), json_parse=False)
    except (WebhookVerificationError, ValueError):  # ValueError: neither base64 nor UTF-8
        return False
    return True


def inbound(body: bytes) -> Inbound | None:
    """The text of a request; None when it is none."""
    try:
        given = _Inbound.model_validate_json(body)
    except ValidationError:
        return None
    files = tuple(InboundFile(one.url, one.name, one.content_type) for one in given.media)
    return Inbound(given.id, given.sender, given.to, given.body, files)


def report(body: bytes) -> tuple[str | None, str | None, State, str | None] | None:
    """A delivery report: our id of the text or the gateway's, its state, an error code."""
    try:
        given = _Report.model_validate_json(body)
    except ValidationError:
        return None
    state = _STATES.get(given.state)
    return None if state is None or not (given.message or given.id) else (given.message, given.id, state, given.code)
