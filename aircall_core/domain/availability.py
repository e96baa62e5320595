"""Whether a user can be rung: derived from what is really so at this moment, never kept as a state of its own."""

from dataclasses import dataclass, replace
from enum import StrEnum


class Status(StrEnum):
    """One at a time, in the order in which they hide each other."""

    DISABLED = "disabled"
    OFFLINE = "offline"  # no browser of theirs is connected
    OFF_DUTY = "off_duty"  # signed in, microphone and sound not armed
    IN_CALL = "in_call"
    WRAP_UP = "wrap_up"  # after a call, for their time
    TAGGING = "tagging"  # they owe a call its tag
    UNAVAILABLE = "unavailable"  # chosen, with a reason
    OUT_OF_HOURS = "out_of_hours"  # chosen auto, outside of their working hours
    AVAILABLE = "available"


BUSY = frozenset({Status.IN_CALL, Status.WRAP_UP, Status.TAGGING})  # callers may wait for these

CHOICES = ("available", "auto", "unavailable")
# Why a user is unavailable; missed_calls is set by the desk (auto-pause), set_by_admin by somebody else.
REASONS = ("break", "lunch", "training", "back_office", "other")
MISSED_CALLS, BY_ADMIN = "missed_calls", "by_admin"


@dataclass(frozen=True, slots=True)
class Standing:
    """A user as the store knows them at this moment. ``online``: a browser tab's lease is running."""

    user_id: str
    active: bool
    on_duty: bool
    online: bool
    in_call: bool
    takes_another: bool = False  # call waiting: in one call only, and a second one may ring
    wrapping_up: bool = False
    tag_due: bool = False
    choice: str = "available"
    reason: str | None = None
    within_hours: bool = True
    idle_since: int = 0  # ms; when they last became available

    @property
    def waiting(self) -> bool:
        """Whether they can be rung although they are in a call, softly: if they could be rung without that call."""
        if not (self.in_call and self.takes_another):
            return False
        return replace(self, in_call=False).status is Status.AVAILABLE

    @property
    def rings(self) -> bool:
        """Whether they can be rung."""
        return self.status is Status.AVAILABLE or self.waiting

    @property
    def status(self) -> Status:
        """The first thing that stands in the way, in the order in which the user would mend it."""
        if not self.active:
            return Status.DISABLED
        if self.in_call:  # a call goes on while its agent's browser reloads
            return Status.IN_CALL
        if not self.online:
            return Status.OFFLINE
        if not self.on_duty:
            return Status.OFF_DUTY
        if self.wrapping_up:
            return Status.WRAP_UP
        if self.tag_due:
            return Status.TAGGING
        if self.choice == "unavailable":
            return Status.UNAVAILABLE
        if self.choice == "auto" and not self.within_hours:
            return Status.OUT_OF_HOURS
        return Status.AVAILABLE

    @property
    def status_reason(self) -> str | None:
        """Why they are unavailable, while that is what stands in the way."""
        return self.reason if self.status is Status.UNAVAILABLE else None
