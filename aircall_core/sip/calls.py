"""The life of one inbound call in the worker: what it does when the network, the store, a user or a timer speaks.

The store decides who has a call; this object does it and reports what came of it. It runs in the SIP thread only and
holds its SIP leg by number, never by reference. Its parts: the line's flow (flow_run.py and the steps), the agent's
side (agent.py), the recording of what they say (call_recording.py), what the caller hears from us (voice.py). They
know it by a weak reference: a busy worker collects no cycles that have grown old (main.py), so a call must not be one.
"""

import weakref
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pjsua2 as pj

from aircall_core.desk.arrivals import ArrivalPlan
from aircall_core.desk.distribution import Entered
from aircall_core.domain import events as kinds
from aircall_core.domain.events import EventRow
from aircall_core.ids import now_ms
from aircall_core.sip import prompts
from aircall_core.sip.agent import AgentSide
from aircall_core.sip.bridge import CallBridge, connections
from aircall_core.sip.call_recording import CallRecording
from aircall_core.sip.farewell import dialog_of
from aircall_core.sip.flow_run import FlowRun
from aircall_core.sip.recorder import VoicemailRecorder
from aircall_core.sip.rung import Rung
from aircall_core.sip.timers import Deadlines
from aircall_core.sip.tools import Origin, Stage, Tools
from aircall_core.sip.voice import Voice
from aircall_core.sip.voicemail import Voicemail


class InboundCall:
    """One call, from its INVITE to its end."""

    def __init__(self, tools: Tools, call_id: str, token: int, origin: Origin) -> None:
        self.id, self.token, self.origin = call_id, token, origin
        self.tools = tools
        self.stage = Stage.ARRIVED
        self.plan: ArrivalPlan | None = None
        self.answered = False  # 200 OK was sent
        self.media_up = False
        self.deadlines = Deadlines(tools.timers)
        self.bridge = CallBridge(tools.media, token)
        itself: InboundCall = weakref.proxy(self)
        self.voice = Voice(self.bridge, self.deadlines, lambda: itself.connect())
        self.rung = Rung(self.deadlines, lambda user: itself.on_user_over(user))
        self.agent = AgentSide(itself)
        self.recording = CallRecording(itself)
        self.flow = FlowRun(itself)
        self._held = self._acknowledged = False
        self._leaving = ("", 480)  # why and with which code, once the parting message is over
        self._heard: tuple[int | None, float] = (None, tools.timers.clock())
        self.deadlines.set("plan", tools.rules.unplanned, lambda: self.overflow("timeout"))

    # ---- the store speaks

    def on_plan(self, plan: ArrivalPlan) -> None:
        """The store knows the call, and which way it goes."""
        if self.plan is not None:
            return
        self.plan = plan
        self.deadlines.cancel("plan")
        if plan.blocked:  # it is in no list and no count: nothing is reported of it
            self.tools = replace(self.tools, put=lambda *_, **__: None)
            self.part(prompts.BLOCKED, "blocked", code=603)
        elif self.stage not in (Stage.PARTING, Stage.ENDED):
            self.flow.start(plan)

    def on_returned(self, entered: Entered) -> None:
        """The call was taken back from an agent who stayed away."""
        if self.stage is Stage.RINGING and self.flow.ringing is not None:
            self.flow.ringing.on_returned(entered)

    def on_event(self, row: EventRow) -> None:
        """Something in the log concerns this call: a user's wish, or who is rung."""
        handler = _HANDLERS.get(row.kind)
        if handler is not None and self.stage is not Stage.ENDED:
            handler(self, row.event.user_id or "", row.event.data)

    def _on_ringing(self, user: str, data: Mapping[str, Any]) -> None:
        self.rung.began(user, data.get("user_s"))

    def _on_ring_stopped(self, user: str, data: Mapping[str, Any]) -> None:
        self.rung.stopped(user)
        if self.flow.ringing is not None:
            self.flow.ringing.on_stopped(str(data.get("reason", "")))

    def _on_returned(self, user: str, data: Mapping[str, Any]) -> None:
        for other in data["ringing"]:
            self.rung.began(str(other), data.get("user_s"))

    def on_user_over(self, user: str) -> None:
        """This user has been rung for as long as the step wants."""
        if self.flow.ringing is not None:
            self.flow.ringing.on_user_over(user)

    def _on_hangup_wanted(self, user: str, data: Mapping[str, Any]) -> None:
        if self.stage is Stage.PARTING:
            self.refuse_command(user, data, "over")
            return
        self.end("agent", "hangup", command=str(data["command"]))

    # ---- the network speaks

    def on_confirmed(self) -> None:
        """ACK: of an agent's answer, or of the flow's, which is told once an agent talks."""
        self._acknowledged = True
        if self.stage is Stage.TALKING:
            self.say("confirmed", at=now_ms())

    def on_media(self, *, active: bool, held: bool) -> None:
        """The caller's stream is up, or new."""
        self.media_up, self._held = active, held
        self.bridge.renewed()
        if active:
            self.deadlines.cancel("part")
            self.connect()
        self.voice.stream(up=active)
        if active and self.stage is Stage.TALKING:
            self.recording.open_talk()

    def on_digit(self, digit: str) -> None:
        """A key of the caller's telephone: for the flow, until an agent talks."""
        if self.stage in (Stage.FLOW, Stage.RINGING):
            self.flow.on_digit(digit)

    def on_gone(self, *, code: int, by_caller: bool) -> None:
        """The leg is over, and not by us."""
        if by_caller:
            self._finish("caller", "bye" if self.answered else "cancel", code, None)
        else:  # ACK or an answer never came, or the session timer ran out
            self._finish("system", "failed", code, None)

    # ---- the flow and the agent's side speak

    @property
    def language(self) -> str:
        """The line's."""
        return self.plan.language if self.plan else prompts.FALLBACK

    @property
    def has_leg(self) -> bool:
        """Whether the far end is still there."""
        return self.token in self.tools.endpoint.legs

    def dialog(self) -> dict[str, Any] | None:
        """What a farewell BYE of the worker's next life needs; None where it cannot be kept."""
        leg = self.tools.endpoint.legs.get(self.token)
        if leg is None or leg.invite is None:
            return None
        return dialog_of(leg.invite, leg.local_tag, self.origin.source).as_json()

    def pick_up(self) -> None:
        """200 OK, so that the flow can speak with the caller. Their stream follows (`on_media`)."""
        if self.answered or self.stage in (Stage.ACCEPTING, Stage.TALKING):
            return  # the winner's audio answers by itself
        dialog = self.dialog()
        if self.tools.endpoint.answer(self.token, 200):  # else the caller is gone: `on_gone` is on its way
            self.say("picked_up", at=now_ms(), dialog=dialog)
            self._mark_answered()

    def on_answered(self) -> None:
        """An agent has the call."""
        if not self.answered:
            self._mark_answered()
        elif self._acknowledged:
            self.say("confirmed", at=now_ms())

    def _mark_answered(self) -> None:
        self.answered = True
        self._heard = (None, self.tools.timers.clock())
        self.deadlines.set("alive", 1.0, self._watch_caller)

    def overflow(self, reason: str) -> None:
        """Nobody takes the call: the parting message."""
        self.say("overflow", reason=reason, at=now_ms())
        self.part(prompts.NOBODY, reason)

    def part(self, prompt: str, reason: str, code: int = 480) -> None:
        """Says a message, then ends the call: as early media where not picked up, so that the caller does not pay."""
        self.flow.leave()
        self.stage = Stage.PARTING
        self.deadlines.cancel("plan")
        self.tools.links.close_call(self.id, "ringing ended")
        self.agent.drop()
        self._leaving = (reason, code)
        if not (self.origin.has_offer or self.answered):
            self._leave()
            return
        self.voice.quiet()
        clip = self.tools.prompts.get(prompt, self.language)
        self.voice.say([clip], lambda: self.deadlines.set("leave", self.tools.rules.tail, self._leave))
        if not self.media_up:
            self.deadlines.set("part", self.tools.rules.media, self._leave)
            if not self.answered:
                self.tools.endpoint.answer(self.token, pj.PJSIP_SC_PROGRESS)

    def _leave(self) -> None:
        reason, code = self._leaving
        self.end("system", reason, code=code)

    # ---- the end

    def end(self, by: str, reason: str, *, code: int = 480, command: str | None = None) -> None:
        """Ends the call from our side. It is over for us at once: a far end that is gone answers no BYE."""
        if self.stage is Stage.ENDED:
            return
        self._finish(by, reason, 200 if self.answered else code, command)
        if self.answered:
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
        self.flow.leave()
        was, self.stage = self.stage, Stage.ENDED
        recorded = self.recording.running
        self.deadlines.cancel_all()
        self.bridge.release()
        self.tools.links.close_call(self.id, "call ended")
        if recorded:
            self.tools.recordings.finish(self.id)
        if was is Stage.ACCEPTING:
            self.agent.caller_gone()
        flow = self.flow
        self.say("ended", by=by, at=now_ms(), sip_code=code, reason=reason, command=command, step=flow.step_id,
                 message=flow.message_left)  # fmt: skip

    def _watch_caller(self) -> None:
        """Every second: neither RTP nor RTCP for a while means that nobody is there any more."""
        if self.stage is Stage.ENDED:
            return
        self.deadlines.set("alive", 1.0, self._watch_caller)
        rules, now, heard = self.tools.rules, self.tools.timers.clock(), self.tools.endpoint.heard(self.token)
        if self._held or heard != self._heard[0]:
            self._heard = (heard, now)
        elif now - self._heard[1] >= (rules.dead if self.stage is Stage.TALKING else rules.dead_waiting):
            self.end("system", "rtp_timeout")

    # ---- small things

    def disk_full(self) -> None:
        """Whatever is recorded ends here."""
        if isinstance(self.flow.now, Voicemail):
            self.flow.now.stop()
        else:
            self.recording.stop("disk")

    def connect(self) -> None:
        """Has the bridge connect who should hear whom now."""
        if not self.media_up:
            return
        wanted = connections(
            agent=self.agent.link is not None and self.stage is Stage.TALKING,
            away=self.agent.away,
            muted=self.agent.muted,
            speaking=self.voice.on_port,
            music=self.voice.music or (self.stage is Stage.TALKING and self.agent.link is None),
            recording=self.recording.running,
            taping=isinstance(self.bridge.recorder, VoicemailRecorder),
        )
        self.bridge.apply(wanted)

    def refuse_command(self, user: str, data: Mapping[str, Any], code: str) -> None:
        """A wish that comes to nothing."""
        self.say("command_failed", user_id=user, command=data["command"], code=code)

    def say(self, fact: str, **fields: Any) -> None:
        """Has a fact written."""
        self.tools.put(fact, self.id, **fields)


_HANDLERS: dict[str, Callable[[InboundCall, str, Mapping[str, Any]], None]] = {
    kinds.CALL_RINGING: InboundCall._on_ringing,
    kinds.CALL_RING_STOPPED: InboundCall._on_ring_stopped,
    kinds.CALL_RETURNED: InboundCall._on_returned,
    kinds.CALL_ACCEPTING: lambda call, user, data: call.agent.on_accepting(user, data),
    kinds.CALL_AUDIO: lambda call, user, data: call.agent.on_audio_wanted(user, data),
    kinds.CALL_MUTE_WANTED: lambda call, user, data: call.agent.on_mute_wanted(user, data),
    kinds.CALL_HANGUP_WANTED: InboundCall._on_hangup_wanted,
}
