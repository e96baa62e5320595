"""The life of one inbound call in the worker: what it does when the network, a user, the agent or a timer speaks.

The store decides who has a call; this object does it and reports what came of it. It runs in the SIP thread only and
holds its SIP leg by number, never by reference.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pjsua2 as pj

from aircall_core.desk.arrivals import ArrivalPlan
from aircall_core.domain import events as kinds
from aircall_core.domain.events import EventRow
from aircall_core.ids import now_ms
from aircall_core.logs import get_logger
from aircall_core.sip import prompts
from aircall_core.sip.bridge import CallBridge, connections
from aircall_core.sip.farewell import dialog_of
from aircall_core.sip.pcm import PcmLink
from aircall_core.sip.recorder import Recorder
from aircall_core.sip.timers import Deadlines
from aircall_core.sip.tools import Accept, Stage, Tools

log = get_logger(__name__)


class InboundCall:
    """One call, from its INVITE to its end."""

    def __init__(self, tools: Tools, call_id: str, token: int, source: str, *, has_offer: bool) -> None:
        self.id, self.token, self.source = call_id, token, source
        self.tools = tools
        self.stage = Stage.ARRIVED
        self.bridge = CallBridge(tools.media, token)
        self._has_offer = has_offer  # without one there is no early media
        self._plan: ArrivalPlan | None = None
        self._ringing: set[str] = set()
        self._stopped: set[str] = set()  # the log may be read before the plan has come
        self._ring_over = False
        self._returning = False  # given back; the store has not said yet who is rung now
        self._accept: Accept | None = None
        self._peer = ""  # the browser peer that is to carry the audio
        self._link: PcmLink | None = None
        self._answered = False  # 200 OK was sent
        self._media_up = self._held = False
        self._muted = False
        self._away_since: float | None = None
        self._speaking = ""
        self._noticed = self._recorded = False
        self._leave_reason = ""
        self._heard: tuple[int | None, float] = (None, tools.timers.clock())
        self._deadlines = Deadlines(tools.timers)
        self._deadlines.set("ring", tools.rules.unplanned, self._on_ring_over)

    # ---- the store speaks

    def on_plan(self, plan: ArrivalPlan) -> None:
        """The store knows the call, and whom it rings."""
        if self._plan is not None:
            return
        self._plan = plan
        self._ringing |= set(plan.ring) - self._stopped
        if self.stage is Stage.ARRIVED:
            self.stage = Stage.RINGING
            self._deadlines.set("ring", plan.ring_s, self._on_ring_over)
        if self.stage is Stage.RINGING and not self._ringing:
            if plan.ring:
                self._overflow("all_rejected")
            else:
                self._part(prompts.NOBODY, "nobody")  # the store has noted that already

    def on_returned(self, ring: tuple[str, ...]) -> None:
        """The call was taken back from an agent who stayed away."""
        self._returning = False
        self._ringing = set(ring) - self._stopped
        if self.stage is Stage.RINGING and not self._ringing:
            self._overflow("all_rejected" if ring else "agent_lost")

    def on_event(self, row: EventRow) -> None:
        """Something in the log concerns this call: a user's wish, or who is rung."""
        handler = _HANDLERS.get(row.kind)
        if handler is not None and self.stage is not Stage.ENDED:
            handler(self, row.event.user_id or "", row.event.data)

    def _on_ringing(self, user: str, data: Mapping[str, Any]) -> None:
        self._ringing.add(user)
        self._stopped.discard(user)

    def _on_ring_stopped(self, user: str, data: Mapping[str, Any]) -> None:
        self._ringing.discard(user)
        self._stopped.add(user)
        if self.stage is Stage.RINGING and self._nobody_is_rung:
            self._overflow("all_rejected")

    def _on_accepting(self, user: str, data: Mapping[str, Any]) -> None:
        accept = Accept(user, str(data["peer"]), str(data["command"]))
        if self.stage not in (Stage.ARRIVED, Stage.RINGING):
            if accept != self._accept:
                self._fail(accept, "expired" if self.stage is Stage.PARTING else "caller_gone")
        elif now_ms() > int(data["deadline"]):
            self._fail(accept, "expired")
        else:
            self.stage = Stage.ACCEPTING
            self._accept, self._peer = accept, accept.peer
            self._deadlines.set("accept", self.tools.rules.accept, lambda: self._fail(accept, "no_audio"))
            self.on_audio()

    def _on_audio_wanted(self, user: str, data: Mapping[str, Any]) -> None:
        if self._accept is not None and user == self._accept.user:
            self._peer = str(data["peer"])
            self.on_audio()

    def _on_mute_wanted(self, user: str, data: Mapping[str, Any]) -> None:
        if self.stage is not Stage.TALKING:
            self._refuse_command(user, data, "not_talking")
            return
        self._muted = bool(data["muted"])
        self._connect()
        self._say("muted", user_id=user, command=data["command"], muted=self._muted)

    def _on_hangup_wanted(self, user: str, data: Mapping[str, Any]) -> None:
        if self.stage is Stage.PARTING:
            self._refuse_command(user, data, "over")
            return
        self.end("agent", "hangup", command=str(data["command"]))

    # ---- the agent's audio speaks

    def on_audio(self) -> None:
        """Looks at the link of the chosen peer: takes it when it delivers, misses it when it does not."""
        link = self.tools.links.links.get(self._peer)
        if link is not None and not (self._accept and (link.call, link.user) == (self.id, self._accept.user)):
            link = None  # a peer is named by a browser: it counts only as its own user's
        if link is not None and not link.fresh(self.tools.rules.away):
            link = None
        if self.stage is Stage.ACCEPTING and link is not None:
            self._take(link)
        elif self.stage is Stage.TALKING:
            if link is not None and link is not self._link:
                self._attach(link)
            self._watch_agent()

    def _take(self, link: PcmLink) -> None:
        """The winner's audio is here: answer the caller."""
        accept = self._accept
        assert accept is not None
        leg = self.tools.endpoint.legs.get(self.token)
        if leg is None or leg.invite is None:
            return  # gone: `on_gone` is on its way
        dialog = dialog_of(leg.invite, leg.local_tag, self.source).as_json()
        if not self._answered and not self.tools.endpoint.answer(self.token, 200):
            self._fail(accept, "caller_gone")
            return
        self._deadlines.cancel("accept", "ring")
        self._answered = True
        self.stage = Stage.TALKING
        self._muted = False
        self._attach(link)
        self._say("answered", user_id=accept.user, command=accept.command, at=now_ms(), dialog=dialog)
        self._heard = (None, self.tools.timers.clock())
        self._deadlines.set("alive", 1.0, self._watch_caller)
        self._deadlines.set("agent", 0.1, self._watch_tick)
        if self._media_up:
            self._open_talk()

    def _attach(self, link: PcmLink) -> None:
        self._link = link
        self.bridge.attach(link)
        self.tools.links.close_call(self.id, "another peer has the call", keep=link.peer)
        self._connect()

    def _watch_tick(self) -> None:
        if self.stage is Stage.TALKING:
            self._deadlines.set("agent", 0.1, self._watch_tick)
            self.on_audio()

    def _watch_agent(self) -> None:
        now = self.tools.timers.clock()
        away = self._link is None or not self._link.fresh(self.tools.rules.away)
        if away and self._away_since is None:
            self._away_since = now
            self._connect()
            self._say("agent_away", reason="link" if self._link is None or self._link.closed else "silence")
        elif not away and self._away_since is not None:
            self._away_since = None
            self._connect()
            self._say("agent_back")
        elif away and self._away_since is not None and now - self._away_since >= self.tools.rules.returned:
            self._give_back()

    def _give_back(self) -> None:
        """The agent's audio stays away: the line's other users are rung, the caller hears music meanwhile."""
        self.stage = Stage.RINGING
        self._ringing, self._returning = set(), True
        self._drop_agent()
        self._ring_over = False
        self._deadlines.set("ring", self._plan.ring_s if self._plan else 0, self._on_ring_over)
        self._connect()
        self._say("returned", at=now_ms())

    # ---- the network speaks

    def on_confirmed(self) -> None:
        """ACK."""
        if self.stage is not Stage.ENDED:
            self._say("confirmed", at=now_ms())

    def on_media(self, *, active: bool, held: bool) -> None:
        """The caller's stream is up, or new."""
        self._media_up, self._held = active, held
        self.bridge.renewed()
        if not active:
            return
        if self.stage is Stage.PARTING:
            self._speak_and_leave()
        elif self._answered:
            self._open_talk()

    def on_gone(self, *, code: int, by_caller: bool) -> None:
        """The leg is over, and not by us."""
        if by_caller:
            self._finish("caller", "bye" if self._answered else "cancel", code, None)
        else:  # ACK or an answer never came, or the session timer ran out
            self._finish("system", "failed", code, None)

    def end(self, by: str, reason: str, *, code: int = 480, command: str | None = None) -> None:
        """Ends the call from our side. It is over for us at once: a far end that is gone answers no BYE."""
        if self.stage is Stage.ENDED:
            return
        self._finish(by, reason, 200 if self._answered else code, command)
        if self._answered:
            self.tools.endpoint.hang_up(self.token, reason)
        else:
            self.tools.endpoint.refuse(self.token, code)

    def drop(self) -> None:
        """Ends the call without a word to the store: it is not ours any more."""
        self.tools = replace(self.tools, put=lambda *_, **__: None)
        self.end("system", "fenced")

    def _finish(self, by: str, reason: str, code: int, command: str | None) -> None:
        """Reports the end and lets go of everything."""
        if self.stage is Stage.ENDED:
            return
        self._deadlines.cancel_all()
        was, self.stage = self.stage, Stage.ENDED
        recorded = self.bridge.recorder is not None
        self.bridge.release()
        self.tools.links.close_call(self.id, "call ended")
        if recorded:
            self.tools.recordings.finish(self.id)
        if was is Stage.ACCEPTING and self._accept is not None:
            self._say("accept_failed", user_id=self._accept.user, command=self._accept.command, reason="caller_gone")
        self._say("ended", by=by, at=now_ms(), sip_code=code, reason=reason, command=command)

    def _watch_caller(self) -> None:
        """Every second: neither RTP nor RTCP for ten of them means that nobody is there any more."""
        if self.stage is Stage.ENDED:
            return
        self._deadlines.set("alive", 1.0, self._watch_caller)
        now, heard = self.tools.timers.clock(), self.tools.endpoint.heard(self.token)
        if self._held or heard != self._heard[0]:
            self._heard = (heard, now)
        elif now - self._heard[1] >= self.tools.rules.dead:
            self.end("system", "rtp_timeout")

    # ---- messages, music, recording

    def _on_ring_over(self) -> None:
        self._ring_over = True
        if self.stage in (Stage.ARRIVED, Stage.RINGING):
            self._overflow("timeout")

    def _overflow(self, reason: str) -> None:
        self._say("overflow", reason=reason, at=now_ms())
        self._part(prompts.NOBODY, reason)

    def _part(self, prompt: str, reason: str) -> None:
        """Says a message, then ends the call: as early media before the answer, so that the caller does not pay."""
        self.stage = Stage.PARTING
        self._speaking = prompt
        self._deadlines.cancel("ring", "accept", "agent", "notice")
        self.tools.links.close_call(self.id, "ringing ended")
        self._drop_agent()
        self._leave_reason = reason
        if not (self._has_offer or self._answered):
            self._leave()
        elif self._media_up:
            self._speak_and_leave()
        else:
            self._deadlines.set("part", self.tools.rules.media, self._leave)
            self.tools.endpoint.answer(self.token, pj.PJSIP_SC_PROGRESS)

    def _speak_and_leave(self) -> None:
        if "spoken" in self._deadlines:  # the stream was renewed while the message plays
            self._connect()
            return
        self._deadlines.cancel("part")
        clip = self.tools.prompts.get(self._speaking, self._language)
        self.bridge.play(clip.player())
        self._connect()
        self._deadlines.set("spoken", clip.seconds + self.tools.rules.tail, self._leave)

    def _leave(self) -> None:
        self.end("system", self._leave_reason)

    def _open_talk(self) -> None:
        """The answered caller's stream is up: notice and recording where the line wants them, then the agent."""
        if self._recorded:  # it goes on; or it was stopped for good, since another would take its file's place
            self._connect()
            return
        wanted = self._plan.recording if self._plan else "off"
        if wanted != "off" and not self.tools.record:
            wanted = "off"
            self._say("recording", state="failed", reason="disk")
        if wanted == "off":
            self._connect()
        elif wanted == "notice" and not self._noticed:
            self._noticed = True
            self._speaking = prompts.NOTICE
            clip = self.tools.prompts.get(prompts.NOTICE, self._language)
            self.bridge.play(clip.player())
            self._connect()
            self._deadlines.set("notice", clip.seconds, self._notice_over)
        elif self._speaking:  # the stream was renewed while the notice plays
            self._connect()
        else:
            self._start_recording()

    def _notice_over(self) -> None:
        self._speaking = ""
        if self.stage is not Stage.PARTING:
            self._start_recording()

    def _start_recording(self) -> None:
        if not self._recorded:
            try:
                self.bridge.recorder = Recorder(self.tools.recordings.parts, self.id)
            except pj.Error as problem:
                log.error("recorder_failed", call=self.id, error=problem.reason)
                self._say("recording", state="failed", reason="recorder")
            else:
                self._recorded = True
                self._say("recording", state="started")
        self._connect()

    def stop_recording(self, reason: str) -> None:
        """The disk runs full: the call goes on, its recording ends here."""
        if self.bridge.recorder is not None:
            recorder = self.bridge.recorder
            self.bridge.apply(self._wanted(recording=False))
            self.bridge.recorder = None
            recorder.close()
            self.tools.recordings.finish(self.id)
            self._say("recording", state="stopped", reason=reason)

    # ---- small things

    @property
    def _nobody_is_rung(self) -> bool:
        return not (self._ringing or self._returning)

    @property
    def _language(self) -> str:
        return self._plan.language if self._plan else prompts.FALLBACK

    def _wanted(self, *, recording: bool) -> frozenset[tuple[str, str]]:
        return connections(
            agent=self._link is not None and self.stage is Stage.TALKING,
            away=self._away_since is not None,
            muted=self._muted,
            speaking=bool(self._speaking),
            recording=recording,
        )

    def _connect(self) -> None:
        if self._media_up:
            self.bridge.apply(self._wanted(recording=self.bridge.recorder is not None))

    def _drop_agent(self) -> None:
        self._accept = self._link = self._away_since = None
        self._peer, self._muted = "", False
        self.bridge.detach()

    def _fail(self, accept: Accept, reason: str) -> None:
        """The accept came to nothing; ringing goes on, unless its time is over."""
        self._say("accept_failed", user_id=accept.user, command=accept.command, reason=reason)
        if self.stage is Stage.ACCEPTING and accept == self._accept:
            self._deadlines.cancel("accept")
            self._drop_agent()
            self.stage = Stage.RINGING
            if self._ring_over:
                self._overflow("timeout")
            elif self._nobody_is_rung:  # all others rejected it meanwhile, and so did this one in another tab
                self._overflow("all_rejected")

    def _refuse_command(self, user: str, data: Mapping[str, Any], code: str) -> None:
        self._say("command_failed", user_id=user, command=data["command"], code=code)

    def _say(self, fact: str, **fields: Any) -> None:
        self.tools.put(fact, self.id, **fields)


_HANDLERS: dict[str, Callable[[InboundCall, str, Mapping[str, Any]], None]] = {
    kinds.CALL_RINGING: InboundCall._on_ringing,
    kinds.CALL_RING_STOPPED: InboundCall._on_ring_stopped,
    kinds.CALL_ACCEPTING: InboundCall._on_accepting,
    kinds.CALL_AUDIO: InboundCall._on_audio_wanted,
    kinds.CALL_MUTE_WANTED: InboundCall._on_mute_wanted,
    kinds.CALL_HANGUP_WANTED: InboundCall._on_hangup_wanted,
}
