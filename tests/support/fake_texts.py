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
        self.limits: dict[str, Any] = {"files": 3, "bytes": 5 * 1024 * 1024, "characters": 1600}
        self.draft: dict[str, Any] = {"text": "", "attachments": [], "version": 0}
        self.sent: list[dict[str, Any]] = []
        self.files: dict[str, tuple[str, bytes]] = {}
        self.slow_s = 0.0
        self.sends = True
        self.remarks: list[str] = []
        self.snapshot: dict[str, Any] = {}
        self.contact: dict[str, Any] = {}

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
            Route("/desk/contacts/{id}", self._contact, methods=["GET", "PATCH"]),
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
        if request.method == "GET":
            return JSONResponse(self.contact)
        body = json.loads(await request.body())
        self.requests.append((request.url.path, body))
        if (refusal := self.refused(request)) is not None:
            return refusal
        self.contact = {**self.contact, **body, "version": self.contact.get("version", 1) + 1, "updated_at": now_ms()}
        self.snapshot["contact"] = {**self.snapshot["contact"], **body, "version": self.contact["version"]}
        return JSONResponse({"version": self.contact["version"]})
