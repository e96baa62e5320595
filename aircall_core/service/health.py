"""Whether this installation works: alive, ready, and in figures. Reasons are words that tell what to do."""

from typing import Any

from starlette.responses import Response

from aircall_core import __version__
from aircall_core.service import metrics
from aircall_core.service.endpoint import Ask
from aircall_core.store import StoreAway, clock, provisioning
from aircall_core.store.queries import health, realtime

_BACKEND = "Look at its log, or start the backend again."


def alive(ask: Ask) -> dict[str, str]:
    """GET /healthz: this process answers."""
    return {"status": "ok", "version": __version__}


def ready(ask: Ask) -> tuple[int, dict[str, Any]]:
    """GET /readyz: 200 when calls can be taken and answered in browsers, else 503 with the reasons.

    ``reasons`` stand in the way of calls; ``warnings`` stand in the way of some.
    """
    settings = ask.desk.settings
    try:
        with ask.desk.store.read() as conn:
            at = clock.now_ms(conn)
            nodes = health.node_states(conn)
            trunks = realtime.trunk_states(conn)
            lines = provisioning.all_lines(conn)
    except StoreAway:
        why = [_reason("store_away", "The database cannot be reached.")]
        return 503, {"ready": False, "reasons": why, "warnings": [], "nodes": [], "trunks": []}
    reasons = [] if ask.desk.ready() else [_reason("starting", "The desk process is still starting.")]
    workers = [one for one in nodes if one.kind == "worker" and one.alive]
    gateways = [one for one in nodes if one.kind == "gateway" and one.alive]
    if not workers:
        reasons.append(_reason("no_worker", f"No SIP worker is running: calls are not heard. {_BACKEND}"))
    if not gateways:
        reasons.append(_reason("no_gateway", f"No media gateway is running: browsers have no audio. {_BACKEND}"))
    warnings: list[dict[str, str]] = []
    if settings.loopback_only:
        warnings.append(
            _reason(
                "loopback_only",
                "The console can be reached from this machine alone. For others set AIRCALL_HTTP_HOST and use HTTPS.",
            )
        )
    warnings += [_reason("no_browser_audio", str(one.info["no_audio"])) for one in gateways if one.info.get("no_audio")]
    warnings += [
        _reason("trunk_failed", f"The trunk {one['id']} is not registered ({one['state_code'] or one['state']}).")
        for one in trunks
        if one["kind"] == "register" and one["state"] != "registered"
    ]
    if not any(line["enabled"] for line in lines):
        warnings.append(_reason("no_line", "There is no line yet: every call gets 404."))
    body = {
        "ready": not reasons,
        "version": __version__,
        "at": at,
        "reasons": reasons,
        "warnings": warnings,
        "nodes": [
            {
                "id": one.id,
                "kind": one.kind,
                "alive": one.alive,
                "draining": one.draining,
                "in_use": one.in_use,
                "capacity": one.capacity,
                "info": one.info if one.kind == "worker" else {},
            }
            for one in nodes
        ],
        "trunks": [{"id": one["id"], "kind": one["kind"], "state": one["state"]} for one in trunks],
    }
    return (503 if reasons else 200), body


def figures(ask: Ask) -> Response:
    """GET /metrics"""
    measured = ask.desk.metrics
    try:
        with ask.desk.store.read() as conn:
            measured.set_calls(realtime.calls_by_state(conn))
            nodes = [one for one in health.node_states(conn) if one.alive]
    except StoreAway:
        measured.store_away.inc()
    else:
        for kind in ("desk", "worker", "gateway"):
            measured.nodes.labels(kind).set(sum(one.kind == kind for one in nodes))
        for one in nodes:
            if one.kind == "gateway":
                measured.audio.labels(one.id).set(one.in_use)
        measured.set_refused([one.info.get("refused", {}) for one in nodes if one.kind == "worker"])
    measured.slow.set(ask.desk.hub.dropped_slow)
    return Response(measured.text(), media_type=metrics.CONTENT_TYPE)


def _reason(code: str, message: str) -> dict[str, str]:
    return {"code": code, "message": message}
