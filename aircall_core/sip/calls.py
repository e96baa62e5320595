"""The life of a call in the worker: what it does when the network, the store, a user or a timer speaks.

The store decides who has a call; this object does it and reports what came of it. It runs in the SIP thread only and
holds its SIP legs by number, never by reference. Its parts: the line's flow (flow_run.py and the steps), the agent's
side (agent.py), hold, keypad, the recording of what they say, what the caller hears from us (voice.py), the calls made
beside it (family.py), how it is passed on (transfers.py, passed_on.py). They know it by a weak reference: a busy worker
collects no cycles that have grown old (main.py), so a call must not be one.

`Call` is one that comes in; outbound.py and children.py hold the others.
"""

import weakref
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pjsua2 as pj

from aircall_core.desk.arrivals import ArrivalPlan
from aircall_core.desk.distribution import Entered
from aircall_core.domain.events import EventRow
from aircall_core.ids import now_ms
from aircall_core.sip import prompts
from aircall_core.sip.agent import AgentSide
from aircall_core.sip.bridge import CallBridge
from aircall_core.sip.call_recording import CallRecording
from aircall_core.sip.family import Family
from aircall_core.sip.farewell import dialog_of
from aircall_core.sip.flow_run import FlowRun
from aircall_core.sip.hearing import Kind, Member
from aircall_core.sip.hold import Hold
from aircall_core.sip.keypad import Keypad
from aircall_core.sip.passed_on import PassedOn
from aircall_core.sip.recorder import VoicemailRecorder
from aircall_core.sip.rung import Rung
from aircall_core.sip.timers import Deadlines
from aircall_core.sip.tools import Origin, Stage, Tools
from aircall_core.sip.transfers import Transfers
from aircall_core.sip.trunks import Line, Trunk
from aircall_core.sip.voice import Voice
from aircall_core.sip.voicemail import Voicemail
from aircall_core.sip.watch import Watch
from aircall_core.sip.wishes import HANDLERS


class Call:
    """One call, from its INVITE to its end."""

    kind = Kind.TOP
    inbound, internal = True, False
    far = "caller"  # who the far end is, in the word of its hang-up

    def __init__(self, tools: Tools, call_id: str, token: int, origin: Origin, family: Family | None = None) -> None:
        self.id, self.token, self.origin = call_id, token, origin
        self.tools = tools
        self.stage = Stage.ARRIVED
        self.plan: ArrivalPlan | None = None
        self.answered = False  # 200 OK was sent
        self.media_up = False
        self.deadlines = Deadlines(tools.timers)
        itself: Call = weakref.proxy(self)
        self.family = family or Family(self)
        self.bridge = CallBridge(tools.media, lambda names: itself.family.wiring.cut_call(itself.id, names))
        self.voice = Voice(self.bridge, self.deadlines, lambda: itself.connect())
        self.rung = Rung(self.deadlines, lambda user: itself.on_user_over(user))
        self.agent: AgentSide = AgentSide(itself)
        self.recording: CallRecording = CallRecording(itself)
        self.hold: Hold = Hold(itself)
        self.keypad: Keypad = Keypad(itself)
        self.transfers: Transfers = Transfers(itself)
        self.watch, self.outside = Watch(itself), PassedOn(itself)
        self.flow = FlowRun(itself)
        self._acknowledged = False
        self._leaving = ("", 480)  # why and with which code, once the parting message is over
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
        handler = HANDLERS.get(row.kind)
        if handler is not None and self.stage is not Stage.ENDED:
            handler(self, row.event.user_id or "", row.event.data)

    def on_user_over(self, user: str) -> None:
        """This user has been rung for as long as the step wants."""
        if self.flow.ringing is not None:
            self.flow.ringing.on_user_over(user)

    def on_hangup_wanted(self, user: str, data: Mapping[str, Any]) -> None:
        """The agent leaves: the call is over, unless there is somebody else in it."""
        if self.stage is Stage.PARTING:
            self.refuse_command(user, data, "over")
        elif self.stage is not Stage.TALKING or not self.transfers.leave(user, data):
            self.end("agent", "hangup", command=str(data["command"]))

    # ---- the network speaks

    def on_confirmed(self) -> None:
        """ACK: of an agent's answer, or of the flow's, which is told once an agent talks."""
        self._acknowledged = True
        if self.stage is Stage.TALKING:
            self.say("confirmed", at=now_ms())

    def on_media(self, *, active: bool, held: bool) -> None:
        """The far end's stream is up, or new: nothing is connected to a new one."""
        self.media_up, self.watch.held = active, held
        self.family.wiring.cut_call(self.id, frozenset({"far"}))
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

    def on_referred(self, code: int) -> None:
        """What came of sending the far end elsewhere."""
        self.transfers.on_referred(code)

    def on_gone(self, *, code: int, by_far: bool) -> None:
        """The leg is over, and not by us."""
        if by_far:
            self._finish(self.far, "bye" if self.answered else "cancel", code, None)
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

    @property
    def trunk(self) -> Trunk | None:
        """Through which the far end's leg goes."""
        return self.tools.directory.trunks.get(self.origin.trunk_id)

    @property
    def line(self) -> Line | None:
        """Whose call it is, as it is set up now."""
        return self.tools.directory.lines.get(self.origin.line_id)

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
            self.mark_answered()

    def on_answered(self) -> None:
        """An agent has the call."""
        if not self.answered:
            self.mark_answered()
        elif self._acknowledged:
            self.say("confirmed", at=now_ms())

    def mark_answered(self) -> None:
        """200 has gone out, or come in."""
        self.answered = True
        self.watch.begin()

    def on_agent_here(self) -> None:
        """The audio of the one who had the call made is here: outbound.py."""

    def wait_in_music(self) -> None:
        """The agent is lost; the store is asked for others."""
        if self.flow.ringing is not None:
            self.flow.ringing.again()
        self.voice.hold()

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
        self._hang_up(reason, code)

    def _hang_up(self, reason: str, code: int) -> None:
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
        if self.kind is Kind.TOP:
            self.family.end_children("parent_over")
        self.deadlines.cancel_all()
        self.bridge.release()
        self.tools.links.close_call(self.id, "call ended")
        if recorded:
            self.tools.recordings.finish(self.id)
        self.outside.drop(reason)
        if was is Stage.ACCEPTING:
            self.agent.caller_gone()
        flow = self.flow
        self.say("ended", by=by, at=now_ms(), sip_code=code, reason=reason, command=command, step=flow.step_id,
                 message=flow.message_left)  # fmt: skip

    # ---- small things

    def disk_full(self) -> None:
        """Whatever is recorded ends here."""
        if isinstance(self.flow.now, Voicemail):
            self.flow.now.stop()
        else:
            self.recording.stop("disk")

    def member(self) -> Member:
        """How it stands in its family: hearing.py makes of it who hears whom."""
        return Member(
            self.id,
            self.kind,
            up=self.media_up,
            talking=self.stage in (Stage.TALKING, Stage.FORWARDED),
            dialling=self.stage is Stage.DIALLING,
            early=self.early,
            agent=self.agent.link is not None and self.stage in (Stage.TALKING, Stage.DIALLING),
            away=self.agent.away,
            muted=self.agent.muted,
            held=self.hold.on,
            outside=self.outside.up,
            speaking=self.voice.on_port,
            music=self.voice.music,
            recording=self.recording.taping,
            taping=isinstance(self.bridge.recorder, VoicemailRecorder),
        )

    @property
    def early(self) -> bool:
        """Whether a far end that we call sends sound before it answers."""
        return False

    def port(self, name: str) -> Any:
        """The bridge's port of one of this call's nodes."""
        if name == "far":
            return self.tools.endpoint.audio(self.token)
        if name == "outside":
            return self.outside.port
        return self.bridge.port(name)

    def connect(self) -> None:
        """Has the bridge connect who should hear whom now."""
        self.family.connect()

    def refuse_command(self, user: str, data: Mapping[str, Any], code: str) -> None:
        """A wish that comes to nothing."""
        if data.get("command"):
            self.say("command_failed", user_id=user, command=data["command"], code=code)

    def say(self, fact: str, **fields: Any) -> None:
        """Has a fact written."""
        self.tools.put(fact, self.id, **fields)
