"""Passing a call on: at once by a flow that the store makes, or by completing what was asked first.

The caller never just loses the agent: whoever leaves a call with somebody else in it passes it on to them.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from aircall_core.desk.arrivals import ArrivalPlan
from aircall_core.ids import now_ms
from aircall_core.sip.flow_run import FlowRun
from aircall_core.sip.tools import Stage
from aircall_core.sip.trunks import dialled

if TYPE_CHECKING:
    from aircall_core.sip.calls import Call
    from aircall_core.sip.children import Child, OutboundChild

REFER = "refer"


class Transfers:
    """What becomes of one top call when its agent passes it on."""

    def __init__(self, call: "Call") -> None:
        self.call = call
        self.moved = False  # somebody had the call and let go of it: it waits with music, not with ringing
        self._runs = 0
        self._refer_failed: Callable[[], None] | None = None  # what to do when the carrier will not

    # ---- users' wishes

    def on_transfer_wanted(self, user: str, data: Mapping[str, Any]) -> None:
        """Transfer now: the target is in the call's row."""
        if self.call.stage is Stage.TALKING:
            self._begin(str(data["command"]))
        else:
            self.call.refuse_command(user, data, "not_talking")

    def on_complete_wanted(self, user: str, data: Mapping[str, Any]) -> None:
        """The agent leaves the call to the one they have asked."""
        child = self.call.family.children.get(str(data["via"]))
        if self.call.stage is not Stage.TALKING or child is None or child.stage is not Stage.TALKING:
            self.call.refuse_command(user, data, "not_answered")
        else:
            self.complete(child, user, data)

    def leave(self, user: str, data: Mapping[str, Any]) -> bool:
        """The agent hangs up; False when nobody else is in the call, nor asked for."""
        family = self.call.family
        if family.answered():
            self.complete(family.answered()[0], user, data)
        elif (asked := family.asked()) is not None:
            self._begin(str(data["command"]), via=asked.id)
        else:
            return False
        return True

    def lost(self) -> bool:
        """The agent's audio stays away; False when nobody else is in the call."""
        talking = self.call.family.answered()
        if talking:
            self.complete(talking[0], "", {"command": None})
        return bool(talking)

    # ---- at once

    def _begin(self, command: str, via: str | None = None) -> None:
        """Lets go of the agent; the store says where the call goes."""
        call = self.call
        call.family.end_children("transferred")
        call.stage = Stage.FLOW
        call.flow.leave()
        call.agent.drop()
        call.tools.links.close_call(call.id, "transferred")
        call.hold.clear()
        self.moved = True
        call.voice.hold()
        call.deadlines.set("plan", call.tools.rules.unplanned, lambda: call.overflow("timeout"))
        ring_s = call.tools.rules.transfer_ring
        call.tools.put("transfer_began", call.id, ref=command, command=command, at=now_ms(), via=via, ring_s=ring_s)

    def on_plan(self, plan: ArrivalPlan | None) -> None:
        """The flow that the transfer is."""
        call = self.call
        if call.stage is not Stage.FLOW or "plan" not in call.deadlines:
            return
        if plan is None:
            call.overflow("broken")
        else:
            self.run(plan)

    def run(self, plan: ArrivalPlan) -> None:
        """Another flow from here on; what the caller has chosen and typed goes along."""
        call, before = self.call, self.call.flow
        call.deadlines.cancel("plan")
        self._runs += 1
        call.plan = plan
        call.flow = FlowRun(call, prefix=f"{self._runs}-")
        call.flow.line_id, call.flow.path, call.flow.digits = before.line_id, before.path, before.digits
        call.flow.start(plan)

    # ---- to the one who was asked first

    def complete(self, child: "Child", user: str, data: Mapping[str, Any]) -> None:
        """The agent leaves; far end and child are together."""
        outside = child.as_outbound()
        if outside is None:
            self._to_colleague(child, data)
        elif self.by_refer(outside.leg.trunk_id):
            self._refer_to(outside, user, data)
        else:
            self._to_outside(outside, data)

    def _to_colleague(self, child: "Child", data: Mapping[str, Any]) -> None:
        call = self.call
        self._say_transferred(child, data)
        call.family.let_go(child)
        call.agent.take_over(child.agent)
        child.merged()
        call.hold.clear()
        call.connect()

    def _to_outside(self, child: "OutboundChild", data: Mapping[str, Any]) -> None:
        call = self.call
        self._say_transferred(child, data)
        call.family.let_go(child)
        leg = child.leg
        child.merged()
        call.family.end_children("parent_over")
        call.outside.take(leg)

    def _say_transferred(self, child: "Child", data: Mapping[str, Any]) -> None:
        self.call.say("transferred", via=child.id, command=data.get("command"), at=now_ms())

    # ---- by the carrier (REFER)

    def by_refer(self, trunk_id: str) -> bool:
        """Whether the carrier is to connect the two itself: the caller came through this very trunk."""
        trunk = self.call.trunk
        return trunk is not None and trunk.transfer_by == REFER and trunk.id == trunk_id and self.call.inbound

    def refer(self, number: str, failed: Callable[[], None]) -> None:
        """Has the caller's network call the number; `failed` when it will not."""
        call, trunk = self.call, self.call.trunk
        if trunk is not None:
            number = dialled(number, trunk.dial_format, call.origin.country)
            if call.tools.endpoint.refer(call.token, trunk, number):
                self._await_referred(failed)
                return
        failed()

    def _refer_to(self, child: "OutboundChild", user: str, data: Mapping[str, Any]) -> None:
        call = self.call

        def failed() -> None:
            if data.get("command"):
                call.refuse_command(user, data, "refused")

        if call.tools.endpoint.refer_to_leg(call.token, child.token):
            self._await_referred(failed)
        else:
            failed()

    def _await_referred(self, failed: Callable[[], None]) -> None:
        self._refer_failed = failed
        self.call.deadlines.set("referred", self.call.tools.rules.referred, lambda: self.on_referred(408))

    def on_referred(self, code: int) -> None:
        """The far end says what came of it."""
        failed, self._refer_failed = self._refer_failed, None
        self.call.deadlines.cancel("referred")
        if failed is None:
            return
        if code // 100 == 2:
            self.call.end("system", "referred")
        else:
            failed()
