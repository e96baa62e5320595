"""The gateway's few routes, on a Unix socket in a private folder: only the desk process can speak to it."""

import json
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from aircall_core.ids import is_client_id
from aircall_core.media.gateway import Gateway, GatewayError
from aircall_core.media.peer import PeerIds

MAX_BODY = 64 * 1024
"""Bytes; a browser's audio offer has about 2,500."""

_MAX_PATH = 107  # bytes of a Unix socket's address


def create_app(gateway: Gateway) -> Starlette:
    """The ASGI application: POST /peers, DELETE /peers/{peer}, GET /stats, POST /drain."""

    async def open_peer(request: Request) -> Response:
        body = await _body(request)
        ids = PeerIds(*(_id(body, name) for name in ("peer", "call", "user")))
        worker, sdp = body.get("worker"), body.get("sdp")
        if not isinstance(worker, str) or not worker.startswith("/") or len(worker.encode()) > _MAX_PATH:
            raise GatewayError("bad_request", "worker must be the path of a socket", 400)
        if not isinstance(sdp, str):
            raise GatewayError("bad_request", "sdp must be a text", 400)
        return JSONResponse({"type": "answer", "sdp": await gateway.offer(ids, worker, sdp)})

    async def close_peer(request: Request) -> Response:
        if not await gateway.close(request.path_params["peer"]):
            raise GatewayError("unknown", "no such peer", 404)
        return Response(status_code=204)

    async def stats(_: Request) -> Response:
        return JSONResponse(gateway.stats())

    async def drain(_: Request) -> Response:
        gateway.drain()
        return JSONResponse(gateway.stats(), status_code=202)

    return Starlette(
        routes=[
            Route("/peers", open_peer, methods=["POST"]),
            Route("/peers/{peer}", close_peer, methods=["DELETE"]),
            Route("/stats", stats, methods=["GET"]),
            Route("/drain", drain, methods=["POST"]),
        ],
        exception_handlers={GatewayError: _refusal},
    )


async def _body(request: Request) -> dict[str, Any]:
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > MAX_BODY:
            raise GatewayError("too_large", "the body is too large", 413)
    try:
        body = _json(bytes(content))
    except ValueError as error:
        raise GatewayError("bad_request", "the body must be a JSON object", 400) from error
    return body


def _json(content: bytes) -> dict[str, Any]:
    body = json.loads(content)
    if not isinstance(body, dict):
        raise ValueError("not an object")
    return body


def _id(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if not is_client_id(value):
        raise GatewayError("bad_request", f"{name} must be an id", 400)
    assert isinstance(value, str)
    return value


async def _refusal(_: Request, error: Exception) -> Response:
    assert isinstance(error, GatewayError)
    return JSONResponse({"error": {"code": error.code, "message": str(error)}}, status_code=error.status)
