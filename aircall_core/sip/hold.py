"""Hold: the far end hears music. By the bridge alone, or told to the trunk as well (re-INVITE with sendonly)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from aircall_core.ids import now_ms
from aircall_core.sip.tools import Stage

if TYPE_CHECKING:
    from aircall_core.sip.calls import Call

AGAIN_S = 0.5  # a re-INVITE can cross another one: RFC 3261 14.1


class Hold:
    """Whether one call is held by its agent; of a child: by the one who had it made."""

    def __init__(self, call: "Call") -> None:
        self.call = call
        self.on = False
        self.told = False  # the far end has been sent a sendonly

    def on_wanted(self, user: str, data: Mapping[str, Any]) -> None:
        """The agent wishes so."""
        if self.call.stage is not Stage.TALKING:
            self.call.refuse_command(user, data, "not_talking")
            return
        self.set(user, on=bool(data["held"]), command=data.get("command"))

    def set(self, user: str, *, on: bool, command: str | None = None) -> None:
        """Does it, and says so. `command` None: it came with something else."""
        self._change(on=on)
        self.call.say("held", user_id=user, command=command, held=on, at=now_ms())

    def clear(self) -> None:
        """The agent has let go of the call: whoever has it next begins without."""
        if self.on:
            self._change(on=False)

    def _change(self, *, on: bool) -> None:
        changed, self.on = on != self.on, on
        if changed and on:
            self.call.recording.on_hold()
        self.call.connect()
        if changed:
            if not on:
                self.call.recording.on_unhold()
            self._tell()

    def _tell(self) -> None:
        call = self.call
        trunk = call.trunk
        if trunk is None or trunk.hold_by != "reinvite" or self.told == self.on or call.stage is Stage.ENDED:
            return
        if call.tools.endpoint.hold(call.token, on=self.on):
            self.told = self.on
        else:
            call.deadlines.set("hold", AGAIN_S, self._tell)
