"""Whether this installation works: alive, ready, and in figures. Reasons are words that tell what to do."""

import ipaddress
from typing import Any

import ifaddr
from starlette.responses import Response

from aircall_core import __version__
from aircall_core.service import metrics
from aircall_core.service.endpoint import Ask
from aircall_core.store import StoreAway, clock, messages, provisioning
from aircall_core.store.queries import health, realtime

_BACKEND = "Look at its log, or start the backend again."
_NAMES = {"worker": "SIP worker", "gateway": "media gateway"}
_WITHOUT = {"worker": "calls are not heard", "gateway": "browsers have no audio"}


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
    reasons = _in_the_way(ask.desk.ready(), nodes)
    warnings = _worth_knowing(settings.loopback_only, trunks, has_line=any(line["enabled"] for line in lines))
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
                "serving": one.serving,
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
            measured.set_texts(messages.under_way(conn), messages.failing(conn))
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


def audio_addresses() -> list[str]:
    """Addresses of this machine that WebRTC can use: neither loopback nor bound to one link."""
    found = [ip.ip if isinstance(ip.ip, str) else ip.ip[0] for card in ifaddr.get_adapters() for ip in card.ips]
    parsed = [ipaddress.ip_address(text) for text in found]
    return [str(one) for one in parsed if not one.is_loopback and not one.is_link_local]


def _in_the_way(following: bool, nodes: list[health.NodeState]) -> list[dict[str, str]]:
    """Why no call can be taken."""
    found: list[dict[str, str]] = []
    if not following:
        found.append(_reason("starting", "The desk process is still starting."))
    for kind, none in _WITHOUT.items():
        states = {one.state for one in nodes if one.kind == kind}
        if "alive" in states:
            continue
        if "starting" in states:
            found.append(_reason(f"{kind}_starting", f"The {_NAMES[kind]} is still starting."))
        elif "draining" in states:
            found.append(_reason(f"{kind}_draining", f"The {_NAMES[kind]} takes nothing new: it is about to end."))
        else:
            found.append(_reason(f"no_{kind}", f"No {_NAMES[kind]} is running: {none}. {_BACKEND}"))
    if not audio_addresses():
        only = "This machine has no address but loopback, which browsers never use for audio. Give it a network."
        found.append(_reason("no_audio_address", only))
    return found


def _worth_knowing(loopback_only: bool, trunks: list[dict[str, Any]], *, has_line: bool) -> list[dict[str, str]]:
    """What stands in the way of some calls, or of some people."""
    found: list[dict[str, str]] = []
    if loopback_only:
        only = "The console can be reached from this machine alone. For others set AIRCALL_HTTP_HOST and use HTTPS."
        found.append(_reason("loopback_only", only))
    found += [
        _reason("trunk_failed", f"The trunk {one['id']} is not registered ({one['state_code'] or one['state']}).")
        for one in trunks
        if one["kind"] == "register" and one["state"] != "registered"
    ]
    if not has_line:
        found.append(_reason("no_line", "There is no line yet: every call gets 404."))
    return found


def _reason(code: str, message: str) -> dict[str, str]:
    return {"code": code, "message": message}
