"""From an HTTP request to a use case and back: who asks, may they, is the body right; then one function answers.

Handlers are plain functions that run in a worker thread, since the store blocks; those that wait for the network are
coroutines. Each is told who asks and never looks at cookies itself.
"""

import hmac
import inspect
import ipaddress
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from pydantic import BaseModel, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response

from aircall_core.desk import sessions
from aircall_core.desk.errors import DeskError
from aircall_core.desk.people import ROLES
from aircall_core.desk.sessions import Identity
from aircall_core.logs import get_logger
from aircall_core.service.answers import Refused, error, is_id, refusal
from aircall_core.service.desk import Desk
from aircall_core.service.gate import LARGEST_BODY, is_forwarded
from aircall_core.store import StoreAway

log = get_logger(__name__)


class Kind(Enum):
    """How a route decides who may use it."""

    PUBLIC = "public"
    SESSION = "session"
    METRICS = "metrics"
    SIGNATURE = "signature"  # a machine that signs what it sends: its handler checks that, before anything else


@dataclass(frozen=True, slots=True)
class Access:
    """A kind of authorisation; ``roles`` only with SESSION."""

    kind: Kind
    roles: frozenset[str] = frozenset()


PUBLIC: Final = Access(Kind.PUBLIC)
METRICS: Final = Access(Kind.METRICS)
SIGNED: Final = Access(Kind.SIGNATURE)
EVERYBODY: Final = Access(Kind.SESSION, frozenset(ROLES))
SPEAKERS: Final = Access(Kind.SESSION, frozenset(ROLES) - {"analyst"})  # who speaks with customers
ADMINS: Final = Access(Kind.SESSION, frozenset({"administrator"}))
LEADERS: Final = Access(Kind.SESSION, frozenset({"administrator", "supervisor"}))


@dataclass(frozen=True, slots=True)
class Ask:
    """One request as a handler sees it. ``who`` is set unless the route is public."""

    desk: Desk
    request: Request
    identity: Identity | None
    body: Any

    @property
    def who(self) -> Identity:
        """The signed-in user."""
        assert self.identity is not None, "a public route has no user"
        return self.identity

    @property
    def actor(self) -> str:
        """The user as the event log names them."""
        return f"user:{self.who.user_id}"

    def id(self, name: str) -> str:
        """An id from the path. Whatever cannot be one is answered like one that does not exist."""
        value = str(self.request.path_params[name])
        if not is_id(value):
            raise Refused(404, "not_found", "There is no such thing.")
        return value


Handler = Callable[[Ask], Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the route table.

    The JSON body is checked against ``body`` before the handler runs. Without ``body`` nothing is read before it is
    known who asks, and a coroutine may read the request itself: so files come in. ``largest`` bytes are taken.
    """

    method: str
    path: str
    access: Access
    handler: Handler
    body: type[BaseModel] | None = None
    largest: int = LARGEST_BODY


def endpoint(entry: Entry) -> Callable[[Request], Awaitable[Response]]:
    """The Starlette endpoint of a table entry."""
    waits = inspect.iscoroutinefunction(entry.handler)

    async def serve(request: Request) -> Response:
        desk: Desk = request.app.state.desk
        try:
            raw = await request.body() if entry.body is not None else b""
            if waits:
                ask = await run_in_threadpool(_prepare, desk, entry, request, raw)
                return _response(await entry.handler(ask))
            return await run_in_threadpool(_answer, desk, entry, request, raw)
        except Refused as refused:
            return refusal(refused)
        except DeskError as wrong:
            return desk_error(wrong)
        except StoreAway:
            desk.metrics.store_away.inc()
            return error(
                503, "store_away", "The database is away for a moment. Please try again.", {"retry-after": "1"}
            )

    serve.__name__ = getattr(entry.handler, "__name__", "serve")
    return serve


def desk_error(wrong: DeskError) -> JSONResponse:
    """The answer to a use case that refused."""
    retry = wrong.details.get("retry_s")
    headers = {"retry-after": str(retry)} if retry is not None else None
    return error(wrong.status, wrong.code, wrong.message, headers, **wrong.details)


def token_of(connection: HTTPConnection, desk: Desk) -> str:
    """The session token a browser sent, or ''."""
    return connection.cookies.get(desk.cookie, "")


def identify(desk: Desk, connection: HTTPConnection) -> Identity | None:
    """Who is signed in on this connection; notes from time to time that the session is used."""
    token = token_of(connection, desk)
    found = sessions.identify(desk.store, token)
    if found is None:
        return None
    identity, stale = found
    if stale:
        with desk.store.write() as tx:
            sessions.touch(tx, token, desk.settings.session_days)
    return identity


def authorise(desk: Desk, access: Access, connection: HTTPConnection) -> Identity | None:
    """Who asks, if they may; Refused otherwise."""
    if access.kind in (Kind.PUBLIC, Kind.SIGNATURE):
        return None
    if access.kind is Kind.METRICS:
        _may_measure(desk, connection)
        return None
    identity = identify(desk, connection)
    if identity is None:
        raise Refused(401, "signed_out", "Please sign in.")
    if identity.role not in access.roles:
        raise Refused(403, "forbidden", "Your role does not allow this.")
    return identity


def _may_measure(desk: Desk, connection: HTTPConnection) -> None:
    expected = desk.settings.metrics_token
    scheme, _, given = connection.headers.get("authorization", "").partition(" ")
    if expected and scheme.lower() == "bearer" and hmac.compare_digest(given.encode(), expected.encode()):
        return
    # Behind a proxy on the same machine everybody seems to come from loopback.
    if _is_loopback(connection) and not is_forwarded(connection):
        return
    raise Refused(403, "forbidden", "Metrics are for this machine, or for who has the metrics token.")


def _is_loopback(connection: HTTPConnection) -> bool:
    if connection.client is None:
        return False
    try:
        return ipaddress.ip_address(connection.client.host).is_loopback
    except ValueError:
        return False


def _prepare(desk: Desk, entry: Entry, request: Request, raw: bytes) -> Ask:
    identity = authorise(desk, entry.access, request)
    body = _parsed(entry.body, raw) if entry.body is not None else None
    return Ask(desk, request, identity, body)


def _answer(desk: Desk, entry: Entry, request: Request, raw: bytes) -> Response:
    return _response(entry.handler(_prepare(desk, entry, request, raw)))


def _parsed(model: type[BaseModel], raw: bytes) -> BaseModel:
    """The body as JSON, whatever its content type says: text/plain spares browsers the preflight (see docs)."""
    try:
        given = json.loads(raw) if raw else {}
    except (ValueError, RecursionError):
        raise Refused(400, "not_json", "The body must be JSON.") from None
    try:
        return model.model_validate(given)
    except ValidationError as wrong:
        fields = {".".join(map(str, item["loc"])) or "body": _plain(item["msg"]) for item in wrong.errors()}
        raise Refused(422, "invalid", "Please check the marked fields.", fields=fields) from None


def _plain(message: str) -> str:
    message = message.removeprefix("Value error, ")
    return message[:1].upper() + message[1:]


def _response(result: Any) -> Response:
    """A handler's result: a Response as it is, (status, JSON), JSON, or None for 204."""
    if isinstance(result, Response):
        return result
    if result is None:
        return Response(status_code=204)
    if isinstance(result, tuple):
        status, body = result
        return JSONResponse(body, status)
    return JSONResponse(result)
