"""A fake desk with one conversation by text: its draft, what can be sent, files that are uploaded, and the snapshot."""

import asyncio
import json
import threading
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from aircall_core.ids import new_id, now_ms
from tests.support.fake_desk import ME, FakeDesk

HERE = "/desk/conversations/conversation-1"
OK: dict[str, Any] = {"ok": True, "code": "", "message": ""}
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c63f8cfc0f01f00050001ff89993d1d0000000049454e44ae426082"
)


class FakeTexts(FakeDesk):
    """`sends` false: a text that is posted gets no answer, though the desk has it."""

    def __init__(self) -> None:
        super().__init__()
        self.eligibility: dict[str, Any] = OK
        self.mms = True
        self.templates: list[dict[str, Any]] = []
        self.limits: dict[str, Any] = {"files": 3, "bytes": 5_000_000, "characters": 1600}
        self.draft: dict[str, Any] = {"text": "", "attachments": [], "version": 0}
        self.sent: list[dict[str, Any]] = []
        self.files: dict[str, tuple[str, bytes]] = {}
        self.slow_s = 0.0
        self.sends = True
        self.remarks: list[str] = []
        self.snapshot: dict[str, Any] = {}

    def refused(self, request: Request) -> Response | None:
        """The refusal that the test set for this path."""
        if request.url.path not in self.refusals:
            return None
        status, body = self.refusals[request.url.path]
        return JSONResponse(body, status)

    def _app(self) -> Starlette:
        app = super()._app()
        app.router.routes[:0] = [
            Route(f"{HERE}/composer", self._composer),
            Route(f"{HERE}/draft", self._draft, methods=["GET", "PUT"]),
            Route(f"{HERE}/messages", self._send_text, methods=["POST"]),
            Route(f"{HERE}/attachments", self._upload, methods=["POST"]),
            Route(f"{HERE}/notes", self._remark, methods=["POST"]),
            Route(f"{HERE}/snapshot", lambda request: self._read(request, self.snapshot)),
            Route("/desk/attachments/{id}", self._file, methods=["GET", "DELETE"]),
            Route("/desk/contacts/{id}", self._contact, methods=["PATCH"]),
            Route("/desk/contacts/{id}/denials", self._command, methods=["POST", "DELETE"]),
        ]
        return app

    async def _composer(self, request: Request) -> Response:
        return self.refused(request) or JSONResponse(
            {
                "eligibility": self.eligibility, "kind": "twilio", "mms": self.mms, "opted_out": False,
                "templates": self.templates, "limits": self.limits,
            }
        )  # fmt: skip

    async def _draft(self, request: Request) -> Response:
        if request.method == "GET":
            return self.refused(request) or JSONResponse(self.draft)
        body = await request.json()
        self.requests.append((request.url.path, body))
        if (refusal := self.refused(request)) is not None:
            return refusal
        ids = [one["id"] for one in self.draft["attachments"]]
        if (body["text"], body["attachments"]) != (self.draft["text"], ids):
            if body["version"] != self.draft["version"]:
                return JSONResponse({"error": {"code": "changed", "message": "", **self.draft}}, 409)
            files = [self._told(one) for one in body["attachments"]]
            self.draft = {"text": body["text"], "attachments": files, "version": body["version"] + 1}
        return JSONResponse({"version": self.draft["version"]})

    def _told(self, file_id: str) -> dict[str, Any]:
        name, data = self.files[file_id]
        kind = "image/png" if data.startswith(b"\x89PNG") else "application/pdf"
        return {"id": file_id, "name": name, "content_type": kind, "size": len(data)}

    async def _send_text(self, request: Request) -> Response:
        body = json.loads(await request.body())
        self.requests.append((request.url.path, body))
        if (refusal := self.refused(request)) is not None:
            return refusal
        if body["command"] not in [one["command"] for one in self.sent]:
            self.sent.append(body)
            self.draft = {"text": "", "attachments": [], "version": self.draft["version"] + 1}
            if self.sends:
                told = (body["command"],)
                threading.Thread(target=self.written, args=told, daemon=True).start()
        if not self.sends:
            return Response("not json", 502)
        return JSONResponse({"command": body["command"], "message": "message-1"}, 202)

    def written(self, command: str) -> None:
        """The log says that a text is queued."""
        self.event("message.written", user=ME, actor=f"user:{ME}", message="message-1", files=0, command=command)

    async def _upload(self, request: Request) -> Response:
        data = await request.body()
        self.requests.append((request.url.path, {"name": request.query_params["name"], "size": len(data)}))
        await asyncio.sleep(self.slow_s)
        if (refusal := self.refused(request)) is not None:
            return refusal
        file_id = new_id()
        self.files[file_id] = (request.query_params["name"], data)
        return JSONResponse(self._told(file_id), 201)

    async def _file(self, request: Request) -> Response:
        file_id = request.path_params["id"]
        if request.method == "DELETE":
            self.requests.append((request.url.path, {"deleted": True}))
            return Response(status_code=204)
        name_data = self.files.get(file_id)
        return Response(name_data[1] if name_data else PNG, media_type="image/png")

    async def _remark(self, request: Request) -> Response:
        body = json.loads(await request.body())
        self.requests.append((request.url.path, body))
        if (refusal := self.refused(request)) is not None:
            return refusal
        self.remarks.append(body["text"])
        return JSONResponse({"command": body["command"]}, 202)

    async def _contact(self, request: Request) -> Response:
        body = json.loads(await request.body())
        self.requests.append((request.url.path, body))
        if (refusal := self.refused(request)) is not None:
            return refusal
        known = self.snapshot["contact"]
        self.snapshot["contact"] = {**known, **body, "version": known["version"] + 1}
        return JSONResponse({"id": known["id"], "version": known["version"] + 1})


def told() -> dict[str, Any]:
    """A snapshot with something in each of its parts."""
    now, hour = now_ms(), 3_600_000
    marie = {"number": "+33612345678", "spoken": "06 12 34 56 78", "flag": "🇫🇷", "anonymous": False, "display": ""}
    office = {"number": "+33199001234", "spoken": "01 99 00 12 34", "flag": "🇫🇷", "anonymous": False}
    bo = {"id": "bo", "name": "Bo Lind"}
    here, sales = {"conversation": "conversation-1", "line": "Support"}, {"conversation": "c-2", "line": "Sales"}
    call = {
        "kind": "call",
        "state": "ended",
        "missed_reason": None,
        "talk_ms": None,
        "by": None,
        "direction": "inbound",
    }
    other = {"closed": False, "missed": False, "unread": False, "direction": "inbound"}
    return {
        "now": now, "party": marie, "line": {"id": "line-1", "name": "Support", "country": "FR"}, "maybe": [],
        "contact": {
            "id": "contact-1", "name": "Marie Dupont", "company": "Garage Dupont & fils", "version": 3,
            "priority": None,
            "description": "Prefers to be called after 17:00.\nSpeaks French and some English.", "created_at": 1,
            "updated_at": None, "custom": {"f1": "4711", "f2": "https://crm.example.com/4711"},
            "numbers": [{**marie, "label": "mobile"}, {**office, "label": ""}],
            "emails": [{"email": "marie.dupont@garage-dupont.example", "label": "work"}],
        },
        "fields": [
            {"id": "f1", "name": "Customer no.", "kind": "text", "choices": []},
            {"id": "f2", "name": "In the CRM", "kind": "link", "choices": []},
            {"id": "f3", "name": "Contract", "kind": "choice", "choices": ["Basic", "Plus"]},
        ],
        "last_contacts": [
            {"kind": "text", "id": "m-1", "at": now - hour, "direction": "inbound", "state": "received", "by": None,
             "text": "Is my car ready? I could come by at five, but only if that is fine for you.", **here},
            {**call, "id": "k-1", "at": now - 3 * hour, "outcome": "missed", **here},
            {**call, "id": "k-2", "at": now - 30 * hour, "outcome": "answered", "talk_ms": 254_000, "by": bo, **sales},
            {**call, "id": "k-3", "at": now - 900 * hour, "outcome": "voicemail", **here},
        ],
        "figures": {
            "calls": 1284, "calls_in": 1100, "answered_in": 968, "talk_ms": 91_500_000, "texts": 312,
            "first_at": now - 30_000 * hour, "last_at": now - hour,
        },
        "open_points": [
            {"kind": "missed", "id": "k-1", "at": now - 3 * hour, "outcome": "missed", "by": None,
             "missed_reason": "agents_did_not_answer", **here},
            {"kind": "callback", "id": "k-9", "at": now - 4 * hour, "by": None, **sales},
            {"kind": "note", "id": "n-1", "at": now - 30 * hour, "call": "k-2", "by": bo, **sales,
             "text": "Brakes are done, the invoice is still open. She wants to pay in two parts."},
        ],
        "related": {
            "same_customer": [{"id": "c-2", "name": "Marie Dupont", "line": "Sales", "last_at": now - 30 * hour,
                               **other, **office, "unread": True}],
            "same_company": [{"id": "c-3", "name": "Paul Dupont", "line": "Support", "last_at": now - 99 * hour,
                              **other, **office, "missed": True}],
            "more": 0,
        },
        "ai": {"state": "off", "until": None},
    }  # fmt: skip
