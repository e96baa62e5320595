"""A fake desk that has one list of the power dialer: entries move as agents move them, and colleagues do as told."""

import json
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from aircall_core.ids import now_ms
from tests.support.fake_desk import ME, NAMES, FakeDesk

LIST = "list-1"


class FakeDialer(FakeDesk):
    """The entries of the list by id, in their order."""

    def __init__(self, *names: str, pause_s: int = 0) -> None:
        super().__init__()
        self.pause_s = pause_s
        self.able = True
        self.entries_of: dict[str, dict[str, Any]] = {}
        for at, name in enumerate(names):
            self.put(name, f"01 99 00 12 {at:02}")

    def put(self, name: str, spoken: str, **more: Any) -> dict[str, Any]:
        """One more number."""
        entry = {
            "id": f"entry-{len(self.entries_of) + 1}", "list_id": LIST, "line_id": "line-1", "name": name,
            "number": f"+33{spoken.replace(' ', '')[1:]}", "spoken": spoken, "flag": "🇫🇷", "note": "",
            "state": "waiting", "reason": None, "at": None, "dialled": 0, "by": None, "call": None, "tries": [],
            "conversation_id": None, **more,
        }  # fmt: skip
        self.entries_of[entry["id"]] = entry
        return entry

    def move(self, entry_id: str, state: str, user: str | None = None, **more: Any) -> None:
        """An entry changes its state by somebody's hand."""
        by = {"id": user, "name": NAMES[user]} if user else None
        self.entries_of[entry_id].update(state=state, by=by, at=now_ms() if user else None, **more)
        self.event("dial_entry.changed", user=user, list=LIST, entry=entry_id, state=state, call=None)

    def began(self, entry_id: str, call_id: str) -> None:
        """This user's call to an entry goes on."""
        call: dict[str, Any] = {
            "id": call_id, "direction": "outbound", "state": "dialling", "outcome": None, "reason": None,
            "at": now_ms(), "answered_at": None, "ended_at": None, "tags": [],
        }  # fmt: skip
        by = {"id": ME, "name": NAMES[ME]}
        self.entries_of[entry_id].update(state="dialled", by=by, at=now_ms(), dialled=1, call=call)

    def came_of(self, entry_id: str, outcome: str, **more: Any) -> dict[str, Any]:
        """What a call to an entry came to."""
        call: dict[str, Any] = {
            "id": f"call-{entry_id}", "direction": "outbound", "state": "ended", "outcome": outcome, "reason": None,
            "at": now_ms(), "answered_at": None, "ended_at": now_ms(), "tags": [], **more,
        }  # fmt: skip
        self.entries_of[entry_id]["call"] = call
        return call

    def _app(self) -> Starlette:
        app = super()._app()
        app.router.routes[:0] = [
            Route("/desk/dial-lists/{id}", self._list),
            Route("/desk/dial-lists/{id}/entries", self._rows, methods=["GET"]),
            Route("/desk/dial-lists/{id}/next", self._next, methods=["POST"]),
            Route("/desk/dial-lists/{id}/entries", self._add, methods=["POST"]),
            Route("/desk/dial-entries/{id}", self._entry, methods=["GET"]),
            Route("/desk/dial-entries/{id}/{deed}", self._deed, methods=["POST"]),
            Route("/desk/dial", self._dial, methods=["POST"]),
        ]
        return app

    def _list(self, request: Request) -> Response:
        states = [one["state"] for one in self.entries_of.values()]
        reached = sum(bool(one["call"] and one["call"]["answered_at"]) for one in self.entries_of.values())
        waiting = states.count("waiting")
        names = {one["by"]["id"]: one["by"] for one in self.entries_of.values() if one["state"] == "claimed"}
        mine = next((one for one in self.entries_of.values() if self._is_mine(one)), None)
        found = {
            "id": LIST, "name": "Spring offer", "pause_s": self.pause_s, "archived": False, "line_id": "line-1",
            "line_name": "Sales", "line_enabled": True, "line_dials": self.able, "total": len(states),
            "waiting": waiting, "left": waiting + states.count("claimed"),
            "done": states.count("dialled") + states.count("skipped"), "skipped": states.count("skipped"),
            "reached": reached, "at_work": [{**one, "call": None} for one in names.values()],
        }  # fmt: skip
        calling = next((one for one in self.entries_of.values() if one["call"] and not one["call"]["ended_at"]), None)
        return self._read(request, {"list": found, "mine": mine, "calling": calling})

    @staticmethod
    def _is_mine(entry: dict[str, Any]) -> bool:
        return bool(entry["state"] == "claimed" and entry["by"] and entry["by"]["id"] == ME)

    def _rows(self, request: Request) -> Response:
        shown = {"waiting": ("claimed", "waiting"), "done": ("dialled",), "skipped": ("skipped",)}
        states = shown[request.query_params["show"]]
        search = request.query_params.get("search", "").lower()
        found = [
            one for one in self.entries_of.values() if one["state"] in states and search in one["name"].lower()
        ]  # fmt: skip
        limit = int(request.query_params.get("limit", 20))
        return self._read(request, {"entries": found[:limit], "more": len(found) > limit})

    def _next(self, request: Request) -> Response:
        self.requests.append((request.url.path, {}))
        if request.url.path in self.refusals:
            status, body = self.refusals[request.url.path]
            return JSONResponse(body, status)
        entry = next((one for one in self.entries_of.values() if self._is_mine(one)), None) or next(
            (one for one in self.entries_of.values() if one["state"] == "waiting"), None
        )
        if entry is not None:
            entry.update(state="claimed", by={"id": ME, "name": NAMES[ME]})
        return JSONResponse({"entry": entry})

    async def _add(self, request: Request) -> Response:
        body = json.loads(await request.body())
        self.requests.append((request.url.path, body))
        if request.url.path in self.refusals:
            status, refusal = self.refusals[request.url.path]
            return JSONResponse(refusal, status)
        return JSONResponse({"id": self.put(body["name"], body["number"], note=body["note"])["id"]}, 201)

    def _entry(self, request: Request) -> Response:
        return self._read(request, {"entry": self.entries_of[request.path_params["id"]]})

    async def _deed(self, request: Request) -> Response:
        body = json.loads(await request.body() or b"{}")
        path, deed = request.url.path, request.path_params["deed"]
        self.requests.append((path, body))
        if path in self.refusals:
            status, refusal = self.refusals[path]
            return JSONResponse(refusal, status)
        entry = self.entries_of[request.path_params["id"]]
        mine = {"id": ME, "name": NAMES[ME]}
        match deed:
            case "skip":
                entry.update(state="skipped", reason=body["reason"], by=mine, at=now_ms())
            case "do-not-call" if entry["state"] == "claimed":
                entry.update(state="skipped", reason="do_not_call", by=mine, at=now_ms())
            case "again":
                entry.update(state="waiting", by=None, at=None)
                if body["last"]:
                    self.entries_of[entry["id"]] = self.entries_of.pop(entry["id"])
            case "remove":
                del self.entries_of[entry["id"]]
        return Response(status_code=204)

    async def _dial(self, request: Request) -> Response:
        entry = json.loads(await request.body()).get("entry")
        taken = await self._command(request)
        call = json.loads(bytes(taken.body)).get("call")
        known = self.entries_of.get(entry) or {}
        if known and call and (known["call"] or {}).get("id") != call:  # else it has come to its end already
            self.began(entry, call)
        return taken
