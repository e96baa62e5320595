"""A desk that does what the test says, and a bare page with the console's live parts: states that are rare or short in
the real system (a colleague answering, a lost connection, a refusal) stand still here, to be looked at.

    with FakeDesk() as desk:
        page.goto(desk.url("ringer", "toolbar", "duty"))
        desk.ring(name="Marie Dupont")
"""

import asyncio
import contextlib
import html
import json
import threading
from collections.abc import Iterator
from typing import Any, Self
from urllib.parse import urlencode

import uvicorn
from starlette.applications import Starlette
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from aircall_core.domain import view
from aircall_core.domain.events import Event
from aircall_core.ids import new_id, now_ms
from aircall_core.ui import assets
from tests.support.ports import free_ports
from tests.support.processes import eventually

ME = "me"
NAMES = {ME: "Anna Berg", "bo": "Bo Lind", "cy": "Cy Ek"}

# Streamlit's variables, as .streamlit/config.toml makes them.
_THEMES = {
    "light": {
        "background-color": "#ffffff", "secondary-background-color": "#f3f5f8", "text-color": "#1d2530",
        "primary-color": "#2458c5", "border-color": "#d9dee5", "link-color": "#2052bd",
        "green-color": "#079464", "green-text-color": "#0C5A44", "red-color": "#D94A57", "red-text-color": "#9E303B",
        "red-background-color": "#FFF1F2", "orange-color": "#E0682B", "orange-text-color": "#9B4519",
        "orange-background-color": "#FFF6ED", "blue-color": "#3B82F6", "blue-text-color": "#244FB4",
        "blue-background-color": "#EDF5FF",
    },
    "dark": {
        "background-color": "#12161b", "secondary-background-color": "#1c222a", "text-color": "#e7eaee",
        "primary-color": "#7fa8ff", "border-color": "#323a45", "link-color": "#9dbcff",
        "green-color": "#3dd56d", "green-text-color": "#5ce488", "red-color": "#ff2b2b", "red-text-color": "#ff6c6c",
        "red-background-color": "#3a1d21", "orange-color": "#ff8700", "orange-text-color": "#ffbd45",
        "orange-background-color": "#3a2a17", "blue-color": "#1c83e1", "blue-text-color": "#3d9df3",
        "blue-background-color": "#1a2a40",
    },
}  # fmt: skip


_TALK = {"hold", "talk", "merge", "keys", "recording", "transfer", "consult", "complete", "dial"}
"""Commands of a call in progress."""

TARGETS: dict[str, Any] = {
    "users": [
        {"id": ME, "name": NAMES[ME], "status": "in_call", "available": False, "you": True},
        {"id": "cy", "name": NAMES["cy"], "status": "in_call", "available": False, "you": False},
        {"id": "bo", "name": NAMES["bo"], "status": "available", "available": True, "you": False},
    ],
    "teams": [{"id": "team-1", "name": "Workshop", "available": 2, "members": 3}],
    "lines": [{"id": "line-2", "name": "Billing", "number": "01 99 00 00 02"}],
    "numbers_allowed": True,
}
CHECK: dict[str, Any] = {
    "number": "+33612345678", "spoken": "06 12 34 56 78", "country": "FR", "flag": "🇫🇷", "allowed": True, "why": None,
    "country_name": "France", "contact_name": "", "emergency": False, "extension": "",
}  # fmt: skip
LINES: list[dict[str, Any]] = [
    {"id": "line-1", "name": "Support", "number": "+33199000001", "country": "FR", "spoken": "01 99 00 00 01"},
    {"id": "line-2", "name": "Sales", "number": "+33199000002", "country": "FR", "spoken": "01 99 00 00 02"},
]


class FakeDesk:
    """One fake desk on a port of its own, for one user."""

    def __init__(self) -> None:
        self.port = free_ports(1)[0]
        self.seq = 100
        self.view = view.empty(ME)
        self.view["duty"] = True
        self.view["me"] = {**self.view["me"], "status": "available", "since": now_ms()}
        self.tags: list[dict[str, Any]] = []
        self.notes: dict[str, dict[str, Any]] = {}
        self.call_tags: dict[str, list[str]] = {}
        self.assigned_to: str | None = None
        self.insight: dict[str, dict[str, Any]] = {}  # by call or conversation: {"cards", "asking"}
        self.cards: dict[str, dict[str, Any]] = {}
        self.log: list[dict[str, Any]] = []
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.beats: list[dict[str, Any]] = []
        self.refusals: dict[str, tuple[int, dict[str, Any]]] = {}
        self.aloud: str | None = None
        self.answers = True  # commands bring their events by themselves
        self.open = True
        self.signed_in = True
        self.entries: list[dict[str, Any]] = []
        self.together: list[dict[str, Any]] = []  # the customer's conversations
        self.new: dict[str, int | None] = {}  # from which entry on something is new, by conversation
        self.found: list[dict[str, Any]] = []  # what is found in the conversation
        self.peaks: list[int] | None = None
        self.header: dict[str, Any] = {}
        self.targets: dict[str, Any] = TARGETS
        self.check: dict[str, Any] = CHECK
        self.lines_out: list[dict[str, Any]] = LINES
        self._sockets: set[WebSocket] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    # ---- what the test does

    def url(self, *parts: str, theme: str = "light", **data: Any) -> str:
        """The page with these parts (modules of ui/static), given this data."""
        query = urlencode({"parts": ",".join(parts), "theme": theme, "data": json.dumps(data)})
        return f"http://127.0.0.1:{self.port}/?{query}"

    def event(
        self, kind: str, call_id: str | None = None, /, *, user: str | None = None, card: bool = False,
        actor: str = "system", **data: Any,
    ) -> None:  # fmt: skip
        """Something happens: the view changes, and open tabs hear of it."""
        self.seq += 1
        one = Event(kind, "staff", "system", call_id, "conversation-1", "line-1", user, data)
        self.view = view.apply(self.view, one)
        frame: dict[str, Any] = {
            "t": "event", "seq": self.seq, "at": now_ms(), "kind": kind, "call_id": call_id,
            "conversation_id": "conversation-1", "line_id": "line-1", "user_id": user, "actor": actor, "data": data,
        }  # fmt: skip
        if user:
            frame["who"] = {"id": user, "name": NAMES[user]}
        if card and call_id:
            frame["card"] = self.cards[call_id]
        self.log.append(frame)
        self._send(frame)

    def ring(
        self, call_id: str = "call-1", *, name: str = "Marie Dupont", call: dict[str, Any] | None = None, **card: Any
    ) -> str:
        """A call rings this user and Bo. ``call``: what else the event says of it."""
        self._card(call_id, caller_name=name, **card)
        self.event("call.arrived", call_id, trunk="t", anonymous=False)
        self.event("call.ringing", call_id, user=ME, card=True, **{**self._rung(["bo", ME], call_id), **(call or {})})
        return call_id

    def _card(self, call_id: str, **card: Any) -> None:
        self.cards[call_id] = {
            "caller_name": "Marie Dupont", "number": "01 99 00 12 34", "country": "FR",
            "flag": "🇫🇷", "line_name": "Support",
            "line_number": "01 99 00 00 01", "anonymous": False, "contact_id": None,
            "conversation_id": "conversation-1", "path": [], "digits": [], "queued_at": None, "priority": None,
            "assigned_to": None, "people": NAMES, **card,
        }  # fmt: skip

    def answer(self, call_id: str = "call-1", user: str = ME, peer: str = "peer-00000001") -> None:
        """The call is answered by somebody, all the way to the ACK."""
        self.event("call.accepting", call_id, user=user, peer=peer, tab="t", command=new_id(), deadline=0)
        self.event("call.answered", call_id, user=user, answered_at=now_ms(), command="")
        self.event("call.confirmed", call_id, user=user)

    def call_for(
        self, parent: str, target: dict[str, str], *, join: bool = False, call_id: str = "", command: str = ""
    ) -> str:
        """This user asks somebody about their call, or adds them to it: a child call, not answered yet."""
        call_id = call_id or new_id()
        ((kind, named),) = target.items()
        name = NAMES.get(named, "Workshop" if kind == "team" else "Billing")
        self.cards[call_id] = {**self.cards[parent], "target": {"kind": kind, "name": name}}
        if kind == "number":
            self.cards[call_id] |= {"caller_name": "", "number": CHECK["spoken"]}
        if not join:
            self.held(parent)
        direction = "outbound" if kind == "number" else "internal"
        self.event(
            "call.dial_wanted", call_id, user=ME, card=True, direction=direction, parent=parent, join=join,
            started_by=ME, peer=None, tab=None, arrived_at=now_ms(), recording="off", command=command,
        )  # fmt: skip
        if kind == "number":
            self.event("call.progress", call_id, state="ringing", at=now_ms())
        else:
            self.event("call.ringing", call_id, user=named, **self._rung([named], call_id))
        return call_id

    def dials(self, call_id: str = "call-1", *, peer: str = "p", command: str = "", **card: Any) -> str:
        """This user calls an outside number."""
        self._card(call_id, **card)
        self.event(
            "call.dial_wanted", call_id, user=ME, card=True, direction="outbound", parent=None, join=False,
            started_by=ME, peer=peer, tab="t", arrived_at=now_ms(), recording="off", command=command,
        )  # fmt: skip
        return call_id

    def held(self, call_id: str, held: bool = True, command: str | None = None) -> None:
        """The call is on hold, or no longer."""
        self.event("call.held", call_id, user=ME, held=held, at=now_ms(), command=command)

    def ends(self, call_id: str, *, by: str = "system", outcome: str = "answered", **more: Any) -> None:
        """The call ends."""
        self.event("call.ended", call_id, by=by, outcome=outcome, ended_at=now_ms(), **more)

    def _rung(self, users: list[str], call_id: str) -> dict[str, Any]:
        known = self.view["calls"].get(call_id, {})
        return {
            "leg": new_id(), "ringing": users, "arrived_at": known.get("arrived_at") or now_ms(), "answered_at": None,
            "recording": "off", "direction": known.get("direction", "inbound"), "parent": known.get("parent"),
            "started_by": known.get("started_by"),
        }  # fmt: skip

    def stands(self, status: str, reason: str | None = None) -> None:
        """The user's status becomes this."""
        self.event("user.status", user=ME, status=status, reason=reason, since=now_ms())

    def wraps_up(self, seconds: float) -> None:
        """The user has this time for after-call work."""
        self.event("user.wrap_up", user=ME, until=now_ms() + int(seconds * 1000), command=None)
        self.stands("wrap_up")

    def knows(self, call_id: str, *cards: dict[str, Any], asking: bool = False) -> None:
        """Sources say this of a call, each card {"source", "contents"}."""
        self.insight[call_id] = {"cards": list(cards), "asking": asking}
        self.event("insight.shown", call_id)

    def owes_a_tag(self, call_id: str = "call-1") -> None:
        """The user's call is over and must be tagged."""
        self.event("call.tag_due", call_id, user=ME)
        self.stands("tagging")

    def refuse(self, path: str, status: int, code: str, message: str, **more: Any) -> None:
        """The next requests for this path are refused."""
        self.refusals[path] = (status, {"error": {"code": code, "message": message, **more}})

    def drop(self) -> None:
        """All connections break, and none is let in until `open` is true again."""
        self.open = False
        self._call(self._close_all())

    def tell(self, frame: dict[str, Any]) -> None:
        """Send any frame to all open tabs."""
        self._send(frame)

    # ---- life

    def __enter__(self) -> Self:
        config = uvicorn.Config(self._app(), host="127.0.0.1", port=self.port, log_level="error", lifespan="off")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, name="fake-desk", daemon=True)
        self._thread.start()
        eventually(lambda: self._server.started, 20, "the fake desk")
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(10)

    def _call(self, deed: Any) -> None:
        if self._loop is not None:
            asyncio.run_coroutine_threadsafe(deed, self._loop).result(10)
        else:
            deed.close()

    def _send(self, frame: dict[str, Any]) -> None:
        async def send() -> None:
            for socket in list(self._sockets):
                with contextlib.suppress(RuntimeError, WebSocketDisconnect):
                    await socket.send_json(frame)

        self._call(send())

    async def _close_all(self) -> None:
        for socket in list(self._sockets):
            with contextlib.suppress(RuntimeError):
                await socket.close(1012)

    # ---- what browsers see

    def _app(self) -> Starlette:
        return Starlette(
            routes=[
                Mount("/assets", app=assets.Assets()),
                Route("/sw.js", assets.service_worker),
                Route("/", self._page),
                Route("/favicon.ico", lambda _: Response(status_code=204)),
                Route("/session/me", self._me),
                Route("/desk/tags", lambda _: JSONResponse({"tags": self.tags})),
                Route("/desk/calls/{id}/note", self._note, methods=["GET", "PUT", "OPTIONS"]),
                Route("/desk/calls/{id}/tags", self._call_tags),
                Route("/desk/calls/{id}/insight", self._insight),
                Route("/desk/conversations/{id}/insight", self._insight),
                Route("/desk/conversations/{id}/assignees", self._assignees),
                Route("/desk/targets", lambda request: self._read(request, self.targets)),
                Route("/desk/dial/lines", lambda request: self._read(request, {"lines": self.lines_out})),
                Route("/desk/dial/check", lambda request: self._read(request, self.check)),
                Route("/rtc/config", lambda _: JSONResponse({"ice_servers": []})),
                Route("/desk/dial-lists", lambda request: self._read(request, {"lists": []})),
                Route("/desk/conversations/{id}/timeline", self._timeline),
                Route("/desk/conversations/{id}/find", lambda _: JSONResponse(self.found)),
                Route("/desk/conversations/{id}", lambda request: self._read(request, self.header)),
                Route("/desk/recordings/{id}/peaks", lambda _: JSONResponse({"peaks": self.peaks})),
                Route("/{path:path}", self._command, methods=["POST"]),
                WebSocketRoute("/realtime", self._realtime),
            ]
        )

    async def _page(self, request: Request) -> Response:
        parts = request.query_params.get("parts", "").split(",")
        theme = _THEMES[request.query_params.get("theme", "light")]
        extra = json.loads(request.query_params.get("data", "{}"))
        style = "".join(f"--st-{name}:{value};" for name, value in theme.items())
        data = {
            "texts": assets.url("text.en.json"),
            "desk_url": f"http://127.0.0.1:{self.port}",
            "user": ME,
            "preconnect": 0,
        }
        mounts = [
            {"src": assets.url(f"{part}.js"), "part": part, "data": {**data, **extra}}
            for part in ["link", *filter(None, parts)]
        ]
        return HTMLResponse(_PAGE.replace("STYLE", style).replace("MOUNTS", html.escape(json.dumps(mounts))))

    async def _me(self, _: Request) -> Response:
        return JSONResponse({"id": ME}, 200 if self.signed_in else 401)

    def _read(self, request: Request, found: dict[str, Any]) -> Response:
        self.requests.append((request.url.path, dict(request.query_params)))
        if request.url.path in self.refusals:
            status, body = self.refusals[request.url.path]
            return JSONResponse(body, status)
        return JSONResponse(found)

    async def _timeline(self, request: Request) -> Response:
        if request.url.path in self.refusals:
            status, body = self.refusals[request.url.path]
            return JSONResponse(body, status)
        asked = request.query_params
        limit = int(asked.get("limit", 50))
        told = self._wanted(asked)
        at = self._seq_of(asked.get("around", ""))
        if at is not None:
            older = [one for one in told if one["seq"] < at]
            newer = [one for one in told if one["seq"] >= at]
            page = [*older[max(0, len(older) - limit // 2) :], *newer[: limit - limit // 2]]
        elif "after" in asked:
            page = [one for one in told if one["seq"] > int(asked["after"])][:limit]
        else:
            page = [one for one in told if one["seq"] < int(asked.get("before", 10**9))][-limit:]
        first, last = (page[0]["seq"], page[-1]["seq"]) if page else (0, 10**9)
        return JSONResponse(
            {
                "entries": page, "before": first if told and told[0]["seq"] < first else None,
                "after": last if told and told[-1]["seq"] > last else None, "around": at,
                "together": self.together, "new": self.new,
            }
        )  # fmt: skip

    def _wanted(self, asked: QueryParams) -> list[dict[str, Any]]:
        """The entries of the channels and conversations that are asked for."""
        channels = asked["channels"].split(",") if "channels" in asked else ["call", "text", "note", "log"]
        names = {"call.arrived": "call", "call.dial_wanted": "call", "message.received": "text"}
        names |= {"message.written": "text", "conversation.noted": "note"}
        everywhere = asked.get("scope") == "profile"
        return [
            one
            for one in self.entries
            if names.get(one["kind"], "log") in channels
            and (everywhere or one.get("conversation_id", "conversation-1") == "conversation-1")
        ]

    def _seq_of(self, place: str) -> int | None:
        if not place or place.isdigit():
            return int(place) if place else None
        named = (("call_id",), ("message", "id"), ("note", "id"))
        for one in self.entries:
            for path in named:
                value: Any = one
                for step in path:
                    value = (value or {}).get(step)
                if value == place:
                    return int(one["seq"])
        return None

    async def _note(self, request: Request) -> Response:
        if request.url.path in self.refusals:
            status, body = self.refusals[request.url.path]
            return JSONResponse(body, status)
        call_id = request.path_params["id"]
        note = self.notes.setdefault(call_id, {"text": "", "version": 0})
        if request.method != "PUT":
            return JSONResponse(note)
        body = await request.json()
        self.requests.append((request.url.path, body))
        if body["text"] != note["text"]:
            if body["version"] != note["version"]:
                return JSONResponse({"error": {"code": "changed", "message": "", **note}}, 409)
            note.update(text=body["text"], version=note["version"] + 1)
            told = (call_id, note["version"])
            threading.Thread(target=self.noted, args=told, daemon=True).start()
        return JSONResponse({"id": call_id, "version": note["version"]})

    def noted(self, call_id: str, version: int) -> None:
        """The user's note has this version now."""
        self.event("call.noted", call_id, user=ME, note=call_id, version=version)

    async def _call_tags(self, request: Request) -> Response:
        return JSONResponse({"tags": self.call_tags.get(request.path_params["id"], [])})

    async def _insight(self, request: Request) -> Response:
        return self._read(request, self.insight.get(request.path_params["id"], {"cards": [], "asking": False}))

    async def _assignees(self, _: Request) -> Response:
        people = [{"id": one, "name": name} for one, name in NAMES.items()]
        return JSONResponse({"assigned_to": self.assigned_to, "users": people})

    async def _command(self, request: Request) -> Response:
        body = json.loads(await request.body() or b"{}")
        path = request.url.path
        self.requests.append((path, body))
        if path in self.refusals:
            status, refusal = self.refusals[path]
            return JSONResponse(refusal, status)
        if path == "/rtc/offer":
            return JSONResponse({"error": {"code": "full", "message": "No gateway here."}}, 503)
        made = new_id() if path.endswith(("/consult", "/desk/dial")) else None
        if self.answers:
            does = self._talk if path.rsplit("/", 1)[-1] in _TALK else self._outcome
            threading.Thread(target=does, args=(path, {**body, "call": made}), daemon=True).start()
        return JSONResponse({"command": body.get("command", ""), **({"call": made} if made else {})}, 202)

    def _outcome(self, path: str, body: dict[str, Any]) -> None:
        command = body.get("command")
        call_id = path.split("/")[3] if path.startswith("/desk/calls/") else None
        match path.rsplit("/", 1)[-1]:
            case "availability":
                reason = body["reason"]
                self.event("user.choice", user=ME, choice=body["choice"], reason=reason, command=command)
                status = "unavailable" if body["choice"] == "unavailable" else "available"
                self.stands(status, reason)
            case "end":
                self.event("user.wrap_up", user=ME, until=None, command=command)
                self.stands("available")
            case "extend":
                self.event("user.wrap_up", user=ME, until=self.view["me"]["wrap_up_until"] + 60_000, command=command)
            case "assign":
                self.assigned_to = body["user_id"]
                self.event("conversation.assigned", user=body["user_id"], to=body["user_id"], command=command)
            case "tags":
                self.call_tags[call_id or ""] = body["tags"]
                self.event("call.tagged", call_id, user=ME, tags=body["tags"], command=command)
                if self.view["me"]["status"] == "tagging" and not self.view["me"]["tags_due"]:
                    self.stands("available")
            case "duty":
                self.event("user.duty", user=ME, on=body["on"])
            case "accept":
                self.answer(call_id or "", peer=body["peer"])
            case "reject":
                self.event("call.ring_stopped", call_id, user=ME, reason="rejected", command=command)
            case "mute":
                self.event("call.muted", call_id, user=ME, muted=body["muted"], command=command)
            case "hangup":
                self.event(
                    "call.ended", call_id, user=ME, outcome="answered", by="agent", command=command, ended_at=now_ms()
                )

    def _talk(self, path: str, body: dict[str, Any]) -> None:
        command = body.get("command")
        call_id = path.split("/")[3] if path.startswith("/desk/calls/") else ""
        call = self.view["calls"].get(call_id) or {}
        match path.rsplit("/", 1)[-1]:
            case "hold":
                self.held(call_id, body["held"], command)
            case "talk":
                for other in [one for one in self.view["calls"] if one != call_id]:
                    self.held(other)
                self.held(call_id, False, command)
            case "merge":
                for one in [key for key, value in self.view["calls"].items() if value["parent"] == call_id]:
                    self.held(one, False)
                self.held(call_id, False, command)
            case "keys":
                self.event("call.keys_sent", call_id, user=ME, count=len(body["digits"]), command=command)
            case "recording":
                state = "started" if body["on"] else "paused"
                self.event("call.recording", call_id, user=ME, state=state, kind="call", command=command)
            case "consult":
                self.call_for(call_id, body["target"], join=body["join"], call_id=body["call"], command=body["command"])
            case "transfer":
                self.event("call.transferring", call_id, user=ME, to=next(iter(body["target"])), command=command)
            case "complete":
                whole: dict[str, Any] = {
                    "state": "confirmed",
                    "peer": "x",
                    "muted": False,
                    "away": False,
                    "held": False,
                    "progress": None,
                }
                self.event("call.transferred", call_id, user="bo", via=body["via"], to="user", command=command,
                           by="bo", held_at=None, started_by=None, recording=call["recording"], **whole)  # fmt: skip
                self.ends(body["via"], reason="merged")
            case "dial":
                self.dials(
                    body["call"], peer=body["peer"], command=body["command"], caller_name="", number=body["number"]
                )

    async def _realtime(self, socket: WebSocket) -> None:
        if not self.open or not self.signed_in:
            await socket.close(1013)
            return
        self._loop = asyncio.get_running_loop()
        await socket.accept()
        after = int(socket.query_params.get("after", 0))
        if after:
            for frame in [one for one in self.log if one["seq"] > after]:
                await socket.send_json(frame)
        else:
            await socket.send_json(
                {"t": "snapshot", "seq": self.seq, "now": now_ms(), "view": self.view, "cards": self.cards}
            )
        await socket.send_json({"t": "caught_up", "seq": self.seq})
        await socket.send_json({"t": "aloud", "browser": self.aloud or socket.query_params["browser"]})
        self._sockets.add(socket)
        try:
            async for message in socket.iter_json():
                if message["t"] == "beat":
                    self.beats.append(message)
                else:
                    await socket.send_json({"t": "pong"})
        finally:
            self._sockets.discard(socket)


@contextlib.contextmanager
def fake_desk() -> Iterator[FakeDesk]:
    """A fake desk for a `with` block."""
    with FakeDesk() as desk:
        yield desk


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Call desk</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>:root{STYLE} body{margin:0;font:16px/1.5 system-ui,sans-serif;background:var(--st-background-color);
color:var(--st-text-color)} main{padding:1rem;max-width:60rem} @media(min-width:769px){main{margin-left:19rem}}</style>
</head>
<body><main><h1>Page</h1><label>Page text <textarea></textarea></label><div id="parts"></div></main>
<script type="application/json" id="mounts">MOUNTS</script>
<script type="module">
const decode = document.createElement('textarea');
decode.innerHTML = document.getElementById('mounts').textContent;
window.triggered = [];
window.cleanups = {};
for (const { src, part, data } of JSON.parse(decode.value)) {
  const host = document.createElement('div');
  document.getElementById('parts').append(host);
  const root = host.attachShadow({ mode: 'open' });
  const module = await import(src);
  const setTriggerValue = (name, value) => window.triggered.push([part, name, value]);
  const args = { parentElement: root, data, setTriggerValue };
  window.cleanups[part] = module.mount(args);
  window.remount = () => module.mount(args);
}
window.ready = true;
</script></body></html>
"""
