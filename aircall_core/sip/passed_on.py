"""A call that none of us is in any more: its far end talks with a number outside, over two legs of ours."""

import weakref
from typing import TYPE_CHECKING, Any

from aircall_core.sip.outleg import OutLeg
from aircall_core.sip.tools import Stage

if TYPE_CHECKING:
    from aircall_core.sip.calls import Call


class PassedOn:
    """The number's side of one call; `leg` is None as long as the call is ours."""

    def __init__(self, call: "Call") -> None:
        self.call = call
        self.leg: OutLeg | None = None

    @property
    def up(self) -> bool:
        """Whether its stream is there."""
        return self.leg is not None and self.leg.up

    @property
    def port(self) -> Any:
        """Its port of the bridge."""
        return self.call.tools.endpoint.audio(self.leg.token) if self.leg else None

    def take(self, leg: OutLeg) -> None:
        """The leg has answered: from here on both talk, until either hangs up."""
        call, self.leg = self.call, leg
        leg.owner = weakref.proxy(self)
        call.stage = Stage.FORWARDED
        call.flow.leave()
        call.agent.drop()
        call.tools.links.close_call(call.id, "passed on")
        call.recording.stop("forwarded")
        call.voice.quiet()
        call.hold.clear()
        call.connect()

    def drop(self, reason: str) -> None:
        """The call is over."""
        if self.leg is not None:
            self.leg.drop(reason)

    # ---- the leg speaks

    def out_progress(self, leg: OutLeg) -> None:
        """It has answered long ago."""

    def out_answered(self, leg: OutLeg) -> None:
        """As above."""

    def out_failed(self, leg: OutLeg, code: int, reason: str) -> None:
        """As above."""

    def out_media(self, leg: OutLeg) -> None:
        """Its stream is new, or gone."""
        self.call.family.wiring.cut((self.call.id, "outside"))
        self.call.connect()

    def out_over(self, leg: OutLeg, code: int, *, by_far: bool) -> None:
        """It has hung up, and with it the call is over."""
        self.call.end("callee" if by_far else "system", "hangup" if by_far else "failed", code=code)
