"""Audio of browsers: their offers go to a media gateway beside the worker that has the call."""

from typing import Any, Literal

from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from aircall_core.desk import calls
from aircall_core.desk.errors import DeskError, not_found
from aircall_core.domain.call import TALKING, State
from aircall_core.service.answers import Refused
from aircall_core.service.commands import ClientId
from aircall_core.service.desk import Desk
from aircall_core.service.endpoint import Ask
from aircall_core.service.gateways import Offer
from aircall_core.store import calls as call_rows
from aircall_core.store import clock
from aircall_core.store import nodes as node_rows
from aircall_core.store.queries import realtime

LONGEST_SDP = 32_000


class OfferBody(BaseModel):
    """An offer for a call that rings (``ring``: audio is ready before Accept) or that the user has (``call``)."""

    call_id: str = Field(min_length=1, max_length=64)
    peer: ClientId
    tab: ClientId
    sdp: str = Field(min_length=1, max_length=LONGEST_SDP)
    purpose: Literal["ring", "call"]
    again: bool = False  # a leg that had the audio offers anew: only if no other one has it by now


class CloseBody(BaseModel):
    """The peer to end."""

    peer: ClientId


def config(ask: Ask) -> dict[str, Any]:
    """GET /rtc/config: ICE servers and the rate of the audio path."""
    settings = ask.desk.settings
    return {
        "ice_servers": settings.ice_server_list,
        "audio": {"rate": settings.audio_rate},
        "preconnect_users": settings.preconnect_users,
    }


async def offer(ask: Ask) -> dict[str, str]:
    """POST /rtc/offer: the gateway's answer; in a call the audio moves to this peer."""
    body: OfferBody = ask.body
    user = ask.who.user_id
    worker, gateways = await run_in_threadpool(_place, ask.desk, body.call_id, user)
    answer = await ask.desk.gateways.offer(Offer(body.peer, body.call_id, user, body.sdp, worker), gateways)
    if body.purpose == "call":
        try:
            await run_in_threadpool(_move, ask.desk, body, user)
        except DeskError:
            await ask.desk.gateways.close(body.peer, user, [])
            raise
    return answer


async def close(ask: Ask) -> None:
    """POST /rtc/close: end a peer of the asker. A peer that is gone already is no mistake."""
    peer, user = ask.body.peer, ask.who.user_id
    candidates = (
        [] if ask.desk.gateways.knows(peer, user) else await run_in_threadpool(_whereabouts, ask.desk, peer, user)
    )
    await ask.desk.gateways.close(peer, user, candidates)


def _place(desk: Desk, call_id: str, user_id: str) -> tuple[str, list[dict[str, Any]]]:
    """The worker's socket and the gateways beside it, if the call concerns the user."""
    with desk.store.read() as conn:
        call = call_rows.get(conn, call_id)
        if call is None:
            raise not_found("The call")
        if not _concerns(call, user_id, call_rows.ringing_users(conn, call_id)):
            raise DeskError("not_yours", "This call does not ring for you and is not yours.")
        worker, gateways = realtime.audio_place(conn, call_id, clock.now_ms(conn))
    if worker is None:
        raise Refused(503, "worker_away", "The telephone process is restarting. Please try again.")
    return str(worker["address"]), gateways


def _concerns(call: dict[str, Any], user_id: str, ringing: list[str]) -> bool:
    if call["state"] == State.ENDED.value:
        return False
    return user_id in ringing or call["accepted_by"] == user_id


def _move(desk: Desk, body: OfferBody, user_id: str) -> None:
    """The user's call carries the audio of this peer from now on; a call that still rings waits for Accept."""
    with desk.store.write() as tx:
        call = call_rows.get(tx.conn, body.call_id)
        if call is None or call["accepted_by"] != user_id or State(call["state"]) not in TALKING | {State.ACCEPTING}:
            return
        calls.move_audio(tx, body.call_id, user_id, peer=body.peer, tab=body.tab, again=body.again)


def _whereabouts(desk: Desk, peer: str, user_id: str) -> list[dict[str, Any]]:
    """Where a peer may be that this process did not place (it was restarted), if it carries a call of the user."""
    with desk.store.read() as conn:
        for call in call_rows.of_user(conn, user_id):
            if call["audio_peer"] == peer and call["accepted_by"] == user_id:
                worker = node_rows.get(conn, call["owner_node"])
                host = worker["host"] if worker is not None else None
                return [dict(row) for row in node_rows.alive(conn, "gateway", clock.now_ms(conn), host)]
    return []
