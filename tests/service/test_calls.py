"""Commands for calls: one winner, honest refusals, and audio placed beside the worker that has the call."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from aircall_core.desk import nodes
from aircall_core.domain.events import CALL_AUDIO, CALL_HANGUP_WANTED, CALL_MUTE_WANTED, CALL_RING_STOPPED, USER_DUTY
from aircall_core.ids import new_id
from aircall_core.service.gateways import by_room
from aircall_core.store import StoreAway, calls
from tests.service.conftest import World
from tests.support import desk_kit


@pytest.fixture
def office(world: World) -> desk_kit.Desk:
    """A line with Ada and Bob, both available."""
    return desk_kit.Desk.open(world.store, "Ada", "Bob")


def accept(world: World, call: str, user: str, **changes: str) -> Any:
    body = {"command": new_id(), "peer": new_id(), "tab": new_id()} | changes
    return world.ask("POST", f"/desk/calls/{call}/accept", user, json=body)


# ---- commands


def test_one_wins_and_the_other_reads_who(world: World, office: desk_kit.Desk) -> None:
    ada, bob = office.users
    call = office.arrive().call_id
    won = accept(world, call, ada, command="command-of-ada")
    assert (won.status_code, won.json()) == (202, {"command": "command-of-ada"})
    lost = accept(world, call, bob)
    assert lost.status_code == 409
    assert lost.json()["error"] == {
        "code": "taken",
        "message": "Ada has taken this call.",
        "by": {"id": ada, "name": "Ada"},
    }
    again = accept(world, call, ada, command="command-of-ada")
    assert again.status_code == 202, "sent twice, done once"


def test_reject_silences_only_who_rejects(world: World, office: desk_kit.Desk) -> None:
    ada, bob = office.users
    call = office.arrive().call_id
    before = world.store.last_seq()
    command = new_id()
    for _ in range(2):
        answer = world.ask("POST", f"/desk/calls/{call}/reject", ada, json={"command": command})
        assert answer.status_code == 202
    (event,) = [row.event for row in world.store.events(before) if row.kind == CALL_RING_STOPPED]
    assert (event.user_id, event.data["command"]) == (ada, command)
    assert accept(world, call, bob).status_code == 202


def test_hang_up_and_mute_belong_to_who_has_the_call(world: World, office: desk_kit.Desk) -> None:
    ada, bob = office.users
    call = office.arrive().call_id
    office.answer(call, ada)
    before = world.store.last_seq()
    for action, body in (("hangup", {}), ("mute", {"muted": True})):
        path = f"/desk/calls/{call}/{action}"
        refused = world.ask("POST", path, bob, json={"command": new_id(), **body})
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "not_yours")
        assert world.ask("POST", path, ada, json={"command": new_id(), **body}).status_code == 202
    told = [row.event for row in world.store.events(before)]
    assert [event.kind for event in told] == [CALL_HANGUP_WANTED, CALL_MUTE_WANTED]
    assert told[1].data["muted"] is True
    office.end(call)
    over = world.ask("POST", f"/desk/calls/{call}/hangup", ada, json={"command": new_id()})
    assert over.json()["error"]["code"] == "over"


def test_the_duty_switch(world: World) -> None:
    ada = world.user("Ada")
    before = world.store.last_seq()
    for on in (False, False, True):
        answer = world.ask("POST", "/desk/duty", ada, json={"command": new_id(), "on": on, "tab": new_id()})
        assert answer.status_code == 202
    told = [row.event for row in world.store.events(before) if row.kind == USER_DUTY]
    assert [event.data["on"] for event in told] == [False, True]


def test_an_absent_store_says_try_again(world: World, office: desk_kit.Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    call, headers = office.arrive().call_id, world.as_user(office.users[0])

    def away() -> None:
        raise StoreAway("gone")

    monkeypatch.setattr(world.store, "write", away)
    body = {"command": new_id(), "peer": new_id(), "tab": new_id()}
    answer = world.client.post(f"/desk/calls/{call}/accept", headers=headers, json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "store_away")
    assert answer.headers["retry-after"] == "1"


# ---- audio


class Server(uvicorn.Server):
    """uvicorn that says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()


class Gateway:
    """Stands for a media gateway: it takes so many peers and notes what it was asked."""

    def __init__(self, path: Path, room: int, refusal: tuple[int, str] = (503, "full")) -> None:
        self.path, self.room, self.refusal = path, room, refusal
        self.wait_s = 0.0
        self.peers: dict[str, dict[str, Any]] = {}
        self.asked = 0
        app = Starlette(
            routes=[
                Route("/peers", self._open, methods=["POST"]),
                Route("/peers/{peer}", self._close, methods=["DELETE"]),
            ]
        )
        config = uvicorn.Config(app, uds=str(path), lifespan="off", access_log=False, log_config=None)
        self.server = Server(config)
        self.thread = threading.Thread(target=self.server.run, daemon=True)
        self.thread.start()
        assert self.server.up.wait(10)

    async def _open(self, request: Request) -> Response:
        body = await request.json()
        self.asked += 1
        await asyncio.sleep(self.wait_s)  # a gateway that hangs is what is tested
        if len(self.peers) >= self.room:
            return JSONResponse({"error": {"code": self.refusal[1], "message": "no"}}, self.refusal[0])
        self.peers[body["peer"]] = body
        return JSONResponse({"type": "answer", "sdp": f"answer of {self.path.name}"})

    async def _close(self, request: Request) -> Response:
        found = self.peers.pop(request.path_params["peer"], None)
        return Response(status_code=204 if found else 404)

    def stop(self) -> None:
        self.server.should_exit = True
        self.thread.join(5)


@pytest.fixture
def make_gateway(world: World, tmp_path: Path) -> Iterator[Callable[..., Gateway]]:
    """Starts gateways on the host of the worker that owns the calls of desk_kit."""
    made: list[Gateway] = []
    with world.store.write() as tx:
        nodes.register(tx, "worker", 0, "test", address="/run/worker-0.pcm", capacity=10)

    def make(room: int, capacity: int = 10, host: str = "test", **changes: Any) -> Gateway:
        gateway = Gateway(tmp_path / f"g{len(made)}", room, **changes)
        made.append(gateway)
        with world.store.write() as tx:
            nodes.register(tx, "gateway", len(made), host, address=str(gateway.path), capacity=capacity)
        return gateway

    yield make
    for one in made:
        one.stop()


def offer(world: World, user: str, call: str, purpose: str = "ring", peer: str = "", **more: Any) -> Any:
    body = {"call_id": call, "peer": peer or new_id(), "tab": new_id(), "sdp": "v=0", "purpose": purpose, **more}
    return world.ask("POST", "/rtc/offer", user, json=body)


def test_an_offer_goes_to_the_emptiest_gateway_beside_the_worker(
    world: World, office: desk_kit.Desk, make_gateway: Callable[..., Gateway]
) -> None:
    ada, _ = office.users
    small, large = make_gateway(5, capacity=2), make_gateway(5, capacity=8)
    elsewhere = make_gateway(5, capacity=100, host="another")
    call = office.arrive().call_id
    answer = offer(world, ada, call, peer="peer-of-ada")
    assert answer.json() == {"type": "answer", "sdp": f"answer of {large.path.name}"}
    assert large.peers["peer-of-ada"] == {
        "peer": "peer-of-ada",
        "call": call,
        "user": ada,
        "worker": "/run/worker-0.pcm",
        "sdp": "v=0",
    }
    assert small.asked == elsewhere.asked == 0


def test_the_next_one_when_one_is_full_or_gone(
    world: World, office: desk_kit.Desk, make_gateway: Callable[..., Gateway]
) -> None:
    ada, bob = office.users
    gone, full, last = make_gateway(1, capacity=30), make_gateway(0, capacity=20), make_gateway(1, capacity=10)
    gone.stop()
    call = office.arrive().call_id
    assert offer(world, ada, call).json()["sdp"] == f"answer of {last.path.name}"
    assert full.asked == 1
    none = offer(world, bob, call)
    assert (none.status_code, none.json()["error"]["code"]) == (503, "no_audio_room")


def test_a_worker_that_is_away_is_said_so(
    world: World, office: desk_kit.Desk, make_gateway: Callable[..., Gateway]
) -> None:
    make_gateway(0, refusal=(502, "worker_away"))
    answer = offer(world, office.users[0], office.arrive().call_id)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "worker_away")


def test_a_wrong_offer_is_not_tried_elsewhere(
    world: World, office: desk_kit.Desk, make_gateway: Callable[..., Gateway]
) -> None:
    both = [make_gateway(0, refusal=(400, "bad_offer")) for _ in range(2)]
    answer = offer(world, office.users[0], office.arrive().call_id)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_offer")
    assert sum(one.asked for one in both) == 1


def test_only_who_is_rung_or_has_the_call_gets_audio(
    world: World, office: desk_kit.Desk, make_gateway: Callable[..., Gateway]
) -> None:
    ada, bob = office.users
    gateway = make_gateway(9)
    eve, chief = world.user("Eve"), world.user("Chief", "administrator")
    call = office.arrive().call_id
    for stranger in (eve, chief):
        refused = offer(world, stranger, call)
        assert (refused.status_code, refused.json()["error"]["code"]) == (409, "not_yours")
    assert offer(world, ada, new_id()).status_code == 404
    office.answer(call, ada)
    assert offer(world, bob, call, "call").json()["error"]["code"] == "not_yours"
    assert offer(world, ada, call, "call").status_code == 200
    office.end(call)
    assert offer(world, ada, call, "call").json()["error"]["code"] == "not_yours"
    assert gateway.asked == 1


def test_a_leg_whose_network_was_away_takes_no_audio_back_and_late_offers_take_none(
    world: World, office: desk_kit.Desk, make_gateway: Callable[..., Gateway]
) -> None:
    ada, _ = office.users
    gateway = make_gateway(9)
    call = office.arrive().call_id
    office.answer(call, ada)

    def peer() -> str:
        with world.store.read() as conn:
            return str(calls.get(conn, call)["audio_peer"])  # type: ignore[index]

    assert offer(world, ada, call, "call", "desk-at-home").status_code == 200
    assert offer(world, ada, call, "call", "desk-at-home-again-3", again=True).status_code == 200
    late = offer(world, ada, call, "call", "desk-at-home-again-2", again=True)
    assert (late.status_code, late.json()["error"]["code"]) == (409, "overtaken")
    assert peer() == "desk-at-home-again-3"
    assert offer(world, ada, call, "call", "laptop-in-hand").status_code == 200
    back = offer(world, ada, call, "call", "desk-at-home-again-4", again=True)
    assert (back.status_code, back.json()["error"]["code"]) == (409, "overtaken")
    assert peer() == "laptop-in-hand"
    assert not {"desk-at-home-again-2", "desk-at-home-again-4"} & set(gateway.peers), "peers without a call are closed"
    assert offer(world, ada, call, "call", "desk-at-home-2").status_code == 200, "by a click it comes back"


def test_a_new_peer_in_a_call_takes_over_its_audio(
    world: World, office: desk_kit.Desk, make_gateway: Callable[..., Gateway]
) -> None:
    ada, _ = office.users
    make_gateway(9)
    call = office.arrive().call_id
    before = world.store.last_seq()
    assert offer(world, ada, call, "call").status_code == 200, "it rings still: Accept will name the peer"
    assert [row.kind for row in world.store.events(before)] == []
    office.answer(call, ada)
    before = world.store.last_seq()
    assert offer(world, ada, call, "call", peer="peer-after-reload").status_code == 200
    (event,) = [row.event for row in world.store.events(before)]
    assert (event.kind, event.data["peer"], event.user_id) == (CALL_AUDIO, "peer-after-reload", ada)


def test_a_peer_is_closed_by_its_owner_alone(
    world: World, office: desk_kit.Desk, make_gateway: Callable[..., Gateway]
) -> None:
    ada, bob = office.users
    gateway = make_gateway(9)
    call = office.arrive().call_id
    offer(world, ada, call, peer="peer-of-ada")
    stolen = offer(world, bob, call, peer="peer-of-ada")
    assert (stolen.status_code, stolen.json()["error"]["code"]) == (409, "peer_taken")
    assert world.ask("POST", "/rtc/close", bob, json={"peer": "peer-of-ada"}).status_code == 204
    assert "peer-of-ada" in gateway.peers
    assert world.ask("POST", "/rtc/close", ada, json={"peer": "peer-of-ada"}).status_code == 204
    assert gateway.peers == {}


def test_after_a_restart_a_peer_is_found_by_its_call(
    world: World, office: desk_kit.Desk, make_gateway: Callable[..., Gateway]
) -> None:
    ada, bob = office.users
    gateway = make_gateway(9)
    call = office.arrive().call_id
    office.answer(call, ada)
    offer(world, ada, call, "call", peer="peer-of-ada")
    world.desk.gateways._placed.clear()
    world.ask("POST", "/rtc/close", bob, json={"peer": "peer-of-ada"})
    assert "peer-of-ada" in gateway.peers
    world.ask("POST", "/rtc/close", ada, json={"peer": "peer-of-ada"})
    assert gateway.peers == {}


def test_without_a_worker_there_is_no_audio(world: World, office: desk_kit.Desk) -> None:
    answer = offer(world, office.users[0], office.arrive().call_id)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "worker_away")


def test_the_order_of_trying() -> None:
    def node(name: str, used: int, capacity: int) -> dict[str, Any]:
        return {"id": name, "address": name, "in_use": used, "capacity": capacity}

    nodes_given = [node("a", 1, 10), node("b", 0, 10), node("c", 10, 10)]
    assert [one["id"] for one in by_room(nodes_given)] == ["b", "a", "c"]
    assert [one["id"] for one in by_room(nodes_given, {"b"})] == ["a", "c", "b"]


def test_a_gateway_that_hangs_is_passed_over_and_then_tried_last(
    world: World, office: desk_kit.Desk, make_gateway: Callable[..., Gateway]
) -> None:
    ada, bob = office.users
    hangs, works = make_gateway(9, capacity=90), make_gateway(9, capacity=9)
    world.desk.gateways._patience = httpx.Timeout(0.3)
    hangs.wait_s = 5
    call = office.arrive().call_id
    assert offer(world, ada, call).json()["sdp"] == f"answer of {works.path.name}"
    asked = hangs.asked
    assert offer(world, bob, call).json()["sdp"] == f"answer of {works.path.name}"
    assert hangs.asked == asked == 1


def test_the_browser_learns_its_ice_servers(make_world: Callable[..., World]) -> None:
    world = make_world(ice_servers="stun:stun.example.com:3478")
    answer = world.ask("GET", "/rtc/config", world.user("Ada")).json()
    assert answer["ice_servers"] == [{"urls": ["stun:stun.example.com:3478"]}]
    assert answer["audio"] == {"rate": 8000}
