"""Calls made beside a call by its agent: a colleague asked, or somebody outside. Both end with it."""

from collections.abc import Mapping
from typing import Any

from aircall_core.ids import now_ms
from aircall_core.sip.calls import Call
from aircall_core.sip.family import Family
from aircall_core.sip.hearing import Kind
from aircall_core.sip.outbound import OutboundCall
from aircall_core.sip.outleg import OutLeg
from aircall_core.sip.tools import Accept, Origin, Stage, Tools


class InternalChild(Call):
    """A colleague is asked: the far end is the one who asks, who hears the flow with the audio of their own call."""

    kind = Kind.INTERNAL
    inbound, internal = False, True
    far = "caller"

    def __init__(
        self, tools: Tools, call_id: str, origin: Origin, asked: Accept, family: Family, *, join: bool
    ) -> None:
        super().__init__(tools, call_id, 0, origin, family)
        self.asked, self.started_by, self.join = asked, asked.user, join
        self.answered = self.media_up = self._acknowledged = True
        self.voice.stream(up=True)
        ring_s = tools.rules.transfer_ring
        tools.put("dial_began", call_id, command=asked.command, at=now_ms(), ring_s=ring_s)

    @property
    def has_leg(self) -> bool:
        """The one who asks."""
        return self.family.top.stage is Stage.TALKING

    def as_outbound(self) -> None:
        """It is not."""
        return

    def dialog(self) -> None:
        """There is none."""
        return

    def pick_up(self) -> None:
        """The one who asks hears everything from the start."""

    def on_answered(self) -> None:
        """The colleague is there."""
        super().on_answered()
        self.family.on_answered(self)

    def overflow(self, reason: str) -> None:
        """Nobody comes: that is said by the browser of the one who asks, who is back with their caller."""
        self.end("system", reason)

    def part(self, prompt: str, reason: str, code: int = 480) -> None:
        """No message: as above."""
        self.end("system", reason, code=code)

    def on_hangup_wanted(self, user: str, data: Mapping[str, Any]) -> None:
        """Either of the two."""
        self.end("caller" if user == self.started_by else "agent", "hangup", command=str(data["command"]))

    def merged(self) -> None:
        """Its agent has the call itself."""
        self.end("system", "merged")

    def _hang_up(self, reason: str, code: int) -> None:
        """No leg."""

    def _finish(self, by: str, reason: str, code: int, command: str | None) -> None:
        over = self.stage is Stage.ENDED
        super()._finish(by, reason, code, command)
        if not over:
            self.family.on_over(self)


class OutboundChild(OutboundCall):
    """Somebody outside is called, beside the caller."""

    kind = Kind.OUTBOUND

    def __init__(
        self, tools: Tools, call_id: str, origin: Origin, asked: Accept, family: Family, *, join: bool
    ) -> None:
        super().__init__(tools, call_id, origin, asked, family)
        self.started_by, self.join = asked.user, join
        self.on_agent_here()

    @property
    def ring_s(self) -> float:
        """As long as whoever else is asked: somebody waits on hold."""
        return self.tools.rules.transfer_ring

    def as_outbound(self) -> "OutboundChild":
        """It is."""
        return self

    def talk(self) -> None:
        """It is not recorded: its agent's call is, if anything."""
        self.family.on_answered(self)

    def on_hangup_wanted(self, user: str, data: Mapping[str, Any]) -> None:
        """The one who called gives up, or has them leave."""
        self.end("agent", "hangup" if self.answered else "cancelled", code=487, command=str(data["command"]))

    def merged(self) -> None:
        """The far end of its agent's call has the leg now."""
        self.leg, self.token = OutLeg(self.tools, self.deadlines, self), 0
        self.end("system", "merged")

    def _finish(self, by: str, reason: str, code: int, command: str | None) -> None:
        over = self.stage is Stage.ENDED
        super()._finish(by, reason, code, command)
        if not over:
            self.family.on_over(self)


Child = InternalChild | OutboundChild
