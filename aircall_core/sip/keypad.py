"""Keys that an agent presses: claimed from the store, sent as RFC 4733 events, and never a second time."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from aircall_core.ids import now_ms
from aircall_core.sip.tools import Stage

if TYPE_CHECKING:
    from aircall_core.sip.calls import Call

PAUSE = ","
PAUSE_S = 1.0
CLAIM_S = 5.0
KEY_S = 0.25  # how long the library takes for one
AT_ONCE = 16  # keys: its queue holds 32


class Keypad:
    """The keys of one call's agent."""

    def __init__(self, call: "Call") -> None:
        self.call = call
        self._wanted: dict[str, tuple[str, int]] = {}  # by command: whose, and until when they make sense

    def on_wanted(self, user: str, data: Mapping[str, Any]) -> None:
        """Claims the keys. They may be secret, so they are in no event."""
        if self.call.stage in (Stage.PARTING, Stage.ENDED):
            self.call.refuse_command(user, data, "over")
            return
        command = str(data["command"])
        self._wanted[command] = (user, int(data["deadline"]))
        self.call.tools.put("keys", self.call.id, ref=command, command=command)
        self.call.deadlines.set(f"keys:{command}", CLAIM_S, lambda: self._give_up(command))

    def _give_up(self, command: str) -> None:
        """The store is away: later the keys would make no sense."""
        user, _ = self._wanted.pop(command)
        self.call.refuse_command(user, {"command": command}, "expired")

    def on_claimed(self, command: str, digits: str | None) -> None:
        """They are ours to send; None: somebody has claimed them before."""
        user, deadline = self._wanted.pop(command, ("", 0))
        self.call.deadlines.cancel(f"keys:{command}")
        if not user or not digits:
            return
        if self.call.internal and self.call.stage in (Stage.FLOW, Stage.RINGING):
            for digit in digits:  # another line's menu, which the colleague who calls it hears
                self.call.on_digit(digit)
            self.call.say("keys_sent", user_id=user, command=command, count=len(digits))
            return
        legs = self._legs()
        if now_ms() > deadline or not legs:
            self.call.refuse_command(user, {"command": command}, "not_talking" if not legs else "expired")
            return
        self._send(legs, digits, lambda: self.call.say("keys_sent", user_id=user, command=command, count=len(digits)))

    def _legs(self) -> list[int]:
        """Whom they are for: the far end of this call, else whoever of the family is outside and not held."""
        family = self.call.family
        calls = [self.call, family.top, *family.children.values()]
        spoken_to = [one.token for one in calls if one.token and one.stage is Stage.TALKING and not one.hold.on]
        return spoken_to[:1] if self.call.token in spoken_to[:1] else list(dict.fromkeys(spoken_to))

    def _send(self, legs: list[int], digits: str, then: Callable[[], None]) -> None:
        """As many as the library takes at once; a comma is a pause of a second."""
        if not digits:
            then()
            return
        now, rest, pause = digits[:AT_ONCE], digits[AT_ONCE:], 0.0
        if PAUSE in now:
            now, _, rest = digits.partition(PAUSE)
            pause = PAUSE_S
        for token in legs if now else ():
            self.call.tools.endpoint.send_keys(token, now)
        self.call.deadlines.set("keys", len(now) * KEY_S + pause, lambda: self._send(legs, rest, then))
