"""A SIP leg that we dial: through a trunk, until it answers, refuses, or its time is over."""

import weakref
from typing import Any, Protocol

from aircall_core.logs import get_logger
from aircall_core.sip.farewell import dialog_of_answer
from aircall_core.sip.timers import Deadlines
from aircall_core.sip.tools import Tools
from aircall_core.sip.trunks import dialled

log = get_logger(__name__)

TIMER_B_S = 30.0  # RFC 3261 17.1.1.2: 32 s without any answer; who says 408 before that has answered

BUSY, DECLINED, NO_ANSWER, NOT_FOUND, REFUSED, UNREACHABLE = (
    "busy", "declined", "no_answer", "not_found", "refused", "unreachable",
)  # fmt: skip


class Owner(Protocol):
    """Whose leg it is: told what becomes of it."""

    def out_progress(self, leg: "OutLeg") -> None:
        """It rings, or sends sound before it answers: `leg.state`."""

    def out_answered(self, leg: "OutLeg") -> None:
        """200; our ACK is on its way."""

    def out_media(self, leg: "OutLeg") -> None:
        """Its stream is up, new, held or gone."""

    def out_failed(self, leg: "OutLeg", code: int, reason: str) -> None:
        """It was never answered, and is over."""

    def out_over(self, leg: "OutLeg", code: int, *, by_far: bool) -> None:
        """It was answered, and is over."""


class OutLeg:
    """One leg. Its owner is known by a weak reference, and may change."""

    def __init__(self, tools: Tools, deadlines: Deadlines, owner: Owner) -> None:
        self.tools, self.deadlines = tools, deadlines
        self.owner: Owner = weakref.proxy(owner)
        self.token = 0
        self.trunk_id = ""
        self.state = "dialling"  # ringing, early, answered
        self.up = self.held = False
        self.over = False
        self._since = 0.0

    @property
    def early(self) -> bool:
        """Whether it sends sound before it answers."""
        return self.state == "early" and self.up

    @property
    def answered(self) -> bool:
        """Whether it has answered."""
        return self.state == "answered"

    def dial(self, trunk_id: str, number: str, caller_id: str, country: str, within: float) -> str:
        """Calls the number, for at most `within` seconds; '' or why it cannot be done."""
        tools = self.tools
        trunk = tools.directory.trunks.get(trunk_id)
        if trunk is None or not trunk.outbound:
            return "no_trunk"
        if tools.full():
            return "full"
        self._since = tools.timers.clock()
        token = tools.endpoint.dial(trunk, dialled(number, trunk.dial_format, country), caller_id)
        if token is None:
            return UNREACHABLE
        self.token, self.trunk_id = token, trunk_id
        tools.routes[token] = self
        self.deadlines.set(f"dial:{token}", within, self._time_over)
        return ""

    def dialog(self) -> dict[str, Any] | None:
        """What a farewell BYE of the worker's next life needs."""
        leg = self.tools.endpoint.legs.get(self.token)
        if leg is None or leg.answer_heard is None:
            return None
        return dialog_of_answer(*leg.answer_heard).as_json()

    def drop(self, reason: str) -> None:
        """BYE, or CANCEL before the answer. It is over for us at once."""
        if not self.over:
            self._end()
            self.tools.endpoint.hang_up(self.token, reason)

    # ---- the network speaks

    def on_progress(self, code: int) -> None:
        """180, 183."""
        if self.over or self.state != "dialling":
            return
        self.state = "early" if self.up else "ringing"
        self.owner.out_progress(self)

    def on_media(self, *, active: bool, held: bool) -> None:
        """The stream."""
        if self.over:
            return
        self.up, self.held = active, held
        if active and self.state == "ringing":  # 183, then its stream: or 180 with sound
            self.state = "early"
            self.owner.out_progress(self)
        self.owner.out_media(self)

    def on_confirmed(self) -> None:
        """It was answered, and our ACK is sent."""
        if self.over:
            return
        self.deadlines.cancel(f"dial:{self.token}")
        self.state = "answered"
        self.owner.out_answered(self)

    def on_digit(self, digit: str) -> None:
        """Keys of somebody outside whom we called mean nothing."""

    def on_referred(self, code: int) -> None:
        """We refer callers only."""

    def on_gone(self, *, code: int, by_far: bool) -> None:
        """The leg is over, and not by us."""
        if self.over:
            return
        waited, answered = self.tools.timers.clock() - self._since, self.answered
        self._end()
        if answered:
            self.owner.out_over(self, code, by_far=by_far)
        else:
            unheard = code == 408 and self.state == "dialling" and waited > TIMER_B_S
            self.owner.out_failed(self, code, UNREACHABLE if unheard else reason_of(code))

    def _time_over(self) -> None:
        self.drop(NO_ANSWER)
        self.owner.out_failed(self, 487, NO_ANSWER)

    def _end(self) -> None:
        self.over, self.up = True, False
        self.deadlines.cancel(f"dial:{self.token}")


def reason_of(code: int) -> str:
    """In one word, why nobody talks (RFC 3261 section 21)."""
    if code in (486, 600):
        return BUSY
    if code in (408, 480):  # 487 is not among them: our own CANCEL ends a leg for us at once; a redirection ends so too
        return NO_ANSWER
    if code in (404, 410, 484, 604):
        return NOT_FOUND
    if code // 100 == 6:
        return DECLINED
    return UNREACHABLE if code // 100 == 5 else REFUSED
