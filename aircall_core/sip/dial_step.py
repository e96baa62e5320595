"""The step that calls a number outside for the caller: music meanwhile, and once it answers, none of us is in the call.

Where a call is passed on to a number and the carrier is to do that itself, it is sent a REFER instead.
"""

from aircall_core.desk.talk_facts import DialPlan
from aircall_core.ids import now_ms
from aircall_core.sip.outleg import OutLeg
from aircall_core.sip.steps import StepRun

PLAN_S = 5.0  # for the store to say how


class DialStep(StepRun):
    """Forwards the call to a number."""

    leg: OutLeg | None = None

    def begin(self) -> None:
        """Asks the store, which knows what may be dialled, how, and through what."""
        if self.call.answered:
            self.call.voice.hold()
        self.call.deadlines.set("dial_step", PLAN_S, self.run.next)
        number = str(self.step["number"])
        self.call.tools.put("dial_step", self.call.id, ref=self.ref, step=self.step.id, number=number, at=now_ms())

    def on_plan(self, plan: DialPlan | None) -> None:
        """None: it may not be dialled. The flow goes on."""
        call = self.call
        if self.leg is not None:
            return
        call.deadlines.cancel("dial_step")
        if plan is None:
            self.run.next()
        elif call.transfers.moved and call.answered and call.transfers.by_refer(plan.trunk_id):
            call.transfers.refer(plan.number, self.run.next)
        else:
            self.leg = OutLeg(call.tools, call.deadlines, self)
            within = float(self.step["ring_s"])
            if self.leg.dial(plan.trunk_id, plan.number, plan.caller_id, call.origin.country, within):
                self.run.next()

    def end(self) -> None:
        """Not waited for any more."""
        self.call.deadlines.cancel("dial_step", "referred")
        if self.leg is not None:
            self.leg.drop("cancelled")
        self.call.voice.quiet()

    # ---- the leg speaks

    def out_progress(self, leg: OutLeg) -> None:
        """The caller goes on hearing what they hear."""

    def out_media(self, leg: OutLeg) -> None:
        """As above."""

    def out_answered(self, leg: OutLeg) -> None:
        """They are there."""
        call, self.leg = self.call, None
        call.pick_up()
        call.outside.take(leg)
        call.say("forwarded", at=now_ms())

    def out_failed(self, leg: OutLeg, code: int, reason: str) -> None:
        """Busy, declined, nobody: the flow goes on."""
        self.run.reason = reason
        self.run.next()

    def out_over(self, leg: OutLeg, code: int, *, by_far: bool) -> None:
        """An answered leg is not ours any more."""
