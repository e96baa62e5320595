"""Accept to 200 OK on the wire and to first audio both ways, and the worker's share of the audio delay.

The click is an HTTP request of the test; the agent's audio a PCM link that is open before, as browsers do while a call
rings. What a browser adds is in the measure `browser`.
"""

import time
from dataclasses import dataclass, field
from pathlib import Path

from aircall_core.ids import new_id
from bench.report import Row, spread
from bench.rtp import RtpStream, first_loud, laid_out
from tests.support.audio import delay, from_pcm, noise
from tests.support.desk_system import Line, System, User
from tests.support.pcm_peer import PcmPeer
from tests.support.rawsip import RawCaller
from tests.support.realtime import Tab

TALK_S = 2.0


@dataclass
class Times:
    """Milliseconds, one entry a call."""

    ringing: list[float] = field(default_factory=list)
    ok: list[float] = field(default_factory=list)
    audio: list[float] = field(default_factory=list)
    to_caller: list[float] = field(default_factory=list)
    to_agent: list[float] = field(default_factory=list)


def one_call(system: System, line: Line, user: User, tab: Tab, times: Times, seed: int) -> None:
    """Ring, accept, talk for two seconds, hang up."""
    seen = len(tab.frames)
    voices = noise(1.0, 8000, seed, -9), noise(1.0, 8000, seed + 1, -9)
    with RawCaller("127.0.0.1", system.settings.sip_port) as caller:
        sent = caller.invite(line.number)
        ringing = tab.wait_until(
            lambda: next((f for f in tab.frames[seen:] if f.get("kind") == "call.ringing"), None), "call.ringing"
        )
        times.ringing.append((ringing["got_at"] - time.monotonic() + time.time() - sent.at) * 1000)
        call, peer = ringing["call_id"], new_id()
        with PcmPeer(system.settings.worker_socket(), peer=peer, call=call, user=user.id, voice=voices[0]) as agent:
            caller.wait_for(180)
            clicked = time.time()
            body = {"command": new_id(), "peer": peer, "tab": tab.id}
            reply = system.post(user, f"/desk/calls/{call}/accept", body)
            assert reply.status_code == 202, reply.text
            ok = caller.wait_for(200)
            times.ok.append((ok.at - clicked) * 1000)
            with RtpStream(caller.rtp, ok.media, voices[1]) as stream:
                caller.pump(TALK_S)
                offset = time.time() - time.monotonic()
                heard = [(at + offset, from_pcm(pcm)) for at, pcm in list(agent.frames)]
                spoken = [(at + offset, samples) for at, samples in list(agent.sent)]
                times.audio.append((max(first_loud(stream.got), first_loud(heard)) - clicked) * 1000)
                # The last second, far from the start, laid out by time at both ends.
                since = time.time() - 1.2
                for out, source, sink in ((times.to_caller, spoken, stream.got), (times.to_agent, stream.sent, heard)):
                    out.append(delay(laid_out(source, since, 1.2), laid_out(list(sink), since, 1.2), 8000) * 1000)
            caller.bye()
            caller.wait_for(200, "BYE")
        tab.wait_for("call.ended", call_id=call)


def measure(folder: Path, *, full: bool) -> list[Row]:
    """Rows without a browser."""
    times = Times()
    with System(folder) as system:
        user = system.add_user("Ada")
        line = system.add_line("+33199000001", [user])
        tab = system.on_duty(user)
        for number in range(101 if full else 26):
            one_call(system, line, user, tab, times, seed=number)
            if number == 0:
                times = Times()  # the first call fills caches
        tab.close()
    return [
        Row("INVITE to call.ringing at a Python tab", "ms", spread(times.ringing), {"median": 30, "p95": 60}),
        Row("Accept request to 200 OK on the wire", "ms", spread(times.ok), {"p95": 50}),
        Row("Accept request to first audio both ways", "ms", spread(times.audio), {"p95": 150}),
        Row("agent's PCM frame to caller's RTP", "ms", spread(times.to_caller), {"median": 80, "p95": 110}),
        Row("caller's RTP to agent's PCM frame", "ms", spread(times.to_agent), {"median": 130, "p95": 150}),
    ]
