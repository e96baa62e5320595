"""Whether the far ends of a call are still there: neither RTP nor RTCP for a while means that they are not."""

from typing import TYPE_CHECKING

from aircall_core.sip.tools import Stage

if TYPE_CHECKING:
    from aircall_core.sip.calls import Call


class Watch:
    """Looks every second at the SIP legs of one call."""

    def __init__(self, call: "Call") -> None:
        self.call = call
        self.held = False  # by the far end, which sends nothing then
        self._heard: dict[int, tuple[int | None, float]] = {}  # by leg: its last sign of life, and when

    def begin(self) -> None:
        """The call is answered."""
        self._heard = {self.call.token: (None, self.call.tools.timers.clock())}
        self.call.deadlines.set("alive", 1.0, self._look)

    def _look(self) -> None:
        call = self.call
        if call.stage is Stage.ENDED:
            return
        call.deadlines.set("alive", 1.0, self._look)
        legs = {call.token: self.held or call.hold.told}
        if call.outside.leg is not None:
            legs[call.outside.leg.token] = call.outside.leg.held
        rules, now = call.tools.rules, call.tools.timers.clock()
        for token, silent_by_wish in legs.items():
            heard = call.tools.endpoint.heard(token)
            last, since = self._heard.get(token, (None, now))
            if silent_by_wish or heard != last or token not in self._heard:
                self._heard[token] = (heard, now)
            elif now - since >= (rules.dead if call.stage in LIVELY else rules.dead_waiting):
                call.end("system", "rtp_timeout")
                return


LIVELY = frozenset({Stage.TALKING, Stage.FORWARDED})
