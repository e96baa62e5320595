"""A fake desk with an inbox: rows as the desk gives them, listed by category, and changed as the browser asks."""

import asyncio
import threading
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from aircall_core.ids import new_id, now_ms
from tests.support.fake_desk import ME, NAMES, FakeDesk

MINUTE = 60_000


def call(**values: Any) -> dict[str, Any]:
    """A call as a row has it: answered by Bo, over."""
    ended = values.get("ended_at", now_ms())
    return {
        "id": new_id(), "direction": "inbound", "state": "ended", "progress": None, "outcome": "answered",
        "arrived_at": ended - 95_000, "answered_at": ended - 83_000, "ended_at": ended, "answered_by": "Bo Lind",
        "started_by": None, "missed_reason": None, "branch": "", "callback": None, **values,
    }  # fmt: skip


def missed(**values: Any) -> dict[str, Any]:
    """A call that nobody answered."""
    nobody = {"answered_at": None, "answered_by": None, "missed_reason": "agents_did_not_answer"}
    return call(**{"outcome": "missed", **nobody, **values})


def text(body: str, **values: Any) -> dict[str, Any]:
    """A text that came in."""
    return {
        "id": new_id(), "direction": "inbound", "state": "received", "text": body, "at": now_ms(), "by": None,
        "files": False, **values,
    }  # fmt: skip


class FakeInbox(FakeDesk):
    """``rows``: the inbox; ``hold``: while it is clear, lists wait for their answer."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[dict[str, Any]] = []
        self.callbacks: list[dict[str, Any]] = []
        self.older = False  # a search has hits that were not looked at
        self.lists: list[str] = []  # what lists were asked for
        self.hold = threading.Event()
        self.hold.set()

    def add(self, name: str, minutes_ago: float = 0, **values: Any) -> dict[str, Any]:
        """A row that stands where its age puts it."""
        at = now_ms() - int(minutes_ago * MINUTE)
        one = values.pop("id", new_id())
        row: dict[str, Any] = {
            "id": one, "order": at, "at": at, "conversation": one, "name": name, "company": "", "party": "+33199001234",
            "number": "01 99 00 12 34", "flag": "🇫🇷", "line": "Support", "line_id": "line-1", "unread": False,
            "missed": False, "closed": False, "assigned": None, "call": call(ended_at=at), "message": None,
            "newest": "call", "tags": [], **values,
        }  # fmt: skip
        self.rows.append(row)
        return row

    def happens(self, row: dict[str, Any], kind: str, **values: Any) -> None:
        """The row changes, and browsers hear why."""
        row |= values
        self.seq += 1
        self.tell({
            "t": "event", "seq": self.seq, "at": now_ms(), "kind": kind, "call_id": None,
            "conversation_id": row["conversation"], "line_id": "line-1", "user_id": None, "actor": "system", "data": {},
        })  # fmt: skip

    def of(self, category: str) -> list[dict[str, Any]]:
        """The rows of a category, newest first."""
        wanted = {
            "unread": lambda row: row["unread"], "open": lambda row: not row["closed"],
            "mine": lambda row: row["assigned"] and row["assigned"]["id"] == ME,
            "unassigned": lambda row: not row["closed"] and not row["assigned"],
            "outbound": lambda row: not row["closed"] and (row["call"] or {}).get("direction") == "outbound",
            "closed": lambda row: row["closed"], "all": lambda _: True,
        }[category]  # fmt: skip
        return sorted(filter(wanted, self.rows), key=lambda row: (-row["order"], row["id"]))

    def _app(self) -> Starlette:
        app = super()._app()
        app.router.routes[:0] = [
            Route("/desk/inbox", self._list),
            Route("/desk/inbox/counts", self._counts),
            Route("/desk/inbox/bulk", self._bulk, methods=["POST"]),
            Route("/desk/callbacks", lambda request: self._read(request, {"callbacks": self.callbacks})),
            Route("/desk/conversations/{id}/reopen", self._reopen, methods=["POST"]),
        ]
        return app

    async def _list(self, request: Request) -> Response:
        await asyncio.to_thread(self.hold.wait, 30)
        self.lists.append(request.url.query)
        asked = request.query_params
        rows = self.of(asked["category"])
        if only := asked.getlist("conversation"):
            rows = [row for row in rows if row["conversation"] in only]
        if words := asked.get("search", "").lower():
            rows = [row for row in rows if words in row["name"].lower()]
        if (kind := asked.get("type")) == "undelivered":
            rows = [row for row in rows if row["message"] and row["message"]["state"] in ("failed", "unknown")]
        elif kind:
            rows = [row for row in rows if row["call"] and row["call"]["outcome"] == kind]
        start = int(asked.get("after", "0"))
        end = start + int(asked["limit"])
        return self._read(
            request, {"rows": rows[start:end], "after": str(end) if end < len(rows) else None, "older": self.older}
        )

    async def _counts(self, request: Request) -> Response:
        names = ("unread", "open", "mine", "unassigned", "outbound", "closed")
        return self._read(request, {name: min(1000, len(self.of(name))) for name in names})

    async def _bulk(self, request: Request) -> Response:
        body = await request.json()
        self.requests.append((request.url.path, body))
        refused = []
        for row in self.rows:
            if row["conversation"] not in body["conversations"]:
                continue
            if row["call"] and row["call"]["state"] != "ended" and body["do"] == "close":
                refused.append({"id": row["conversation"], "code": "in_call", "message": "It has a call."})
                continue
            changes: dict[str, dict[str, Any]] = {
                "read": {"unread": False}, "unread": {"unread": True}, "reopen": {"closed": False},
                "close": {"closed": True, "assigned": None, "unread": False},
                "assign": {"assigned": body["user_id"] and {"id": body["user_id"], "name": NAMES[body["user_id"]]}},
            }  # fmt: skip
            if body["do"] in ("resend", "put_aside"):
                row["message"]["state"] = {"resend": "queued", "put_aside": "sent"}[body["do"]]
                continue
            row |= changes[body["do"]]
        return JSONResponse({"done": len(body["conversations"]) - len(refused), "refused": refused})

    async def _reopen(self, request: Request) -> Response:
        body = await request.json()
        self.requests.append((request.url.path, body))
        row = next(one for one in self.rows if one["conversation"] == request.path_params["id"])
        owner = body.get("assigned_to")
        row |= {"closed": False, "assigned": owner and {"id": owner, "name": NAMES[owner]}}
        return JSONResponse({"command": body["command"]}, 202)
