"""A call that its agent had us make: their audio first, then the far end, by the store's plan."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from aircall_core.desk.arrivals import ArrivalPlan
from aircall_core.desk.distribution import Entered
from aircall_core.desk.talk_facts import DialPlan
from aircall_core.domain.flow import BadFlow, parse
from aircall_core.ids import now_ms
from aircall_core.sip import tones
from aircall_core.sip.calls import Call
from aircall_core.sip.family import Family
from aircall_core.sip.outleg import BUSY, DECLINED, OutLeg
from aircall_core.sip.tools import Accept, Origin, Stage, Tools
from aircall_core.sip.trunks import Trunk


class OutboundCall(Call):
    """Agent first, then the number. The far end is `leg`; once it has answered, this is a call like any other."""

    inbound = False
    far = "callee"

    def __init__(self, tools: Tools, call_id: str, origin: Origin, asked: Accept, family: Family | None = None) -> None:
        super().__init__(tools, call_id, 0, origin, family)
        self.stage = Stage.DIALLING
        self.asked = asked
        self.leg = OutLeg(tools, self.deadlines, self)
        self.agent.expect(asked)
        self.deadlines.cancel("plan")
        self.deadlines.set("accept", tools.rules.accept, lambda: self.fail("no_audio"))

    # ---- the store speaks

    def on_agent_here(self) -> None:
        """Their audio is here: asks the store for the number, which only one worker gets, once."""
        self.deadlines.set("accept", self.tools.rules.unplanned, lambda: self.fail("timeout"))
        ring_s, command = self.tools.rules.transfer_ring, self.asked.command
        self.tools.put("dial_began", self.id, command=command, at=now_ms(), ring_s=ring_s)

    def on_dial_plan(self, plan: DialPlan | None) -> None:
        """Whom to call and how; None: somebody has been told before."""
        if self.stage is not Stage.DIALLING or self.leg.token:
            return
        self.deadlines.cancel("accept")
        if plan is None:
            self.fail("refused")
            return
        self.plan = ArrivalPlan(
            self.id, language=plan.language, recording=plan.recording, flow=plan.flow, flow_version=plan.flow_version,
            hours=plan.hours, prompts=plan.prompts,
        )  # fmt: skip
        problem = self.leg.dial(plan.trunk_id, plan.number, plan.caller_id, self.origin.country, self.ring_s)
        if problem:
            self.fail(problem)
        self.token = self.leg.token

    def on_returned(self, entered: Entered) -> None:
        """Nobody else is rung for a call of one's own: the far end hears what the line's flow says to the end."""
        if self.stage is not Stage.RINGING or self.flow.ringing is not None:
            super().on_returned(entered)
        elif self.plan is not None:
            self.transfers.run(first_of(self.plan))

    def on_hangup_wanted(self, user: str, data: Mapping[str, Any]) -> None:
        """Before the answer the agent gives up."""
        if self.stage is Stage.DIALLING:
            self.end("agent", "cancelled", code=487, command=str(data["command"]))
        else:
            super().on_hangup_wanted(user, data)

    def fail(self, reason: str) -> None:
        """It cannot be made."""
        if reason == "full":
            self.say("command_failed", user_id=self.asked.user, command=self.asked.command, code="full")
        self.end("system", reason, code=0, command=self.asked.command)

    @property
    def ring_s(self) -> float:
        """How long the far end may let it ring."""
        return self.tools.rules.unanswered

    # ---- the far end speaks

    @property
    def early(self) -> bool:
        """Sound before the answer."""
        return self.leg.early

    @property
    def trunk(self) -> Trunk | None:
        """Through which it is called."""
        return self.tools.directory.trunks.get(self.leg.trunk_id)

    def out_progress(self, leg: OutLeg) -> None:
        """It rings, or tells something itself."""
        self.say("progress", state=leg.state, at=now_ms())
        if leg.state == "ringing":
            self.voice.hold(tones.ringing(self.origin.country, self.tools.prompts.rate))
        self.connect()

    def out_answered(self, leg: OutLeg) -> None:
        """The agent talks with them from here on."""
        self.voice.quiet()
        self.stage = Stage.TALKING
        asked = self.asked
        self.say("answered", user_id=asked.user, command=asked.command, at=now_ms(), dialog=leg.dialog())
        self.mark_answered()
        self.on_confirmed()
        self.talk()

    def talk(self) -> None:
        """Notice and recording, where the line wants them."""
        self.recording.open_talk()
        self.connect()

    def out_media(self, leg: OutLeg) -> None:
        """The far end's stream."""
        self.on_media(active=leg.up, held=leg.held)

    def out_failed(self, leg: OutLeg, code: int, reason: str) -> None:
        """Busy, declined, nobody there ..."""
        self._finish("callee" if reason in (BUSY, DECLINED) else "system", reason, code, None)

    def out_over(self, leg: OutLeg, code: int, *, by_far: bool) -> None:
        """They have hung up."""
        self._finish("callee" if by_far else "system", "bye" if by_far else "failed", code, None)

    def dialog(self) -> None:
        """It is told once, with the answer."""
        return

    def _hang_up(self, reason: str, code: int) -> None:
        if self.leg.token:
            self.leg.drop(reason)


def first_of(plan: ArrivalPlan) -> ArrivalPlan:
    """The plan, begun at its flow's first step."""
    try:
        first = parse(plan.flow).first() if plan.flow else None
    except BadFlow:  # the flow's run says so, and the far end hears the message
        first = None
    return replace(plan, step=first.id if first else "")
