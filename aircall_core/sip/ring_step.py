"""Steps in which users are rung: ring (for as long as somebody may answer) and queue (the caller waits, with music).

The store decides who is rung; the worker keeps the time: the step's, each user's own, and that of the next look while
nobody is rung.
"""

from typing import Any

from aircall_core.desk.distribution import Entered
from aircall_core.domain.flow import DEFAULTS, Kind, Step
from aircall_core.domain.transfer import BACK
from aircall_core.ids import now_ms
from aircall_core.sip import prompts, tones
from aircall_core.sip.announce import announcement
from aircall_core.sip.steps import StepRun
from aircall_core.sip.tools import Stage

ANNOUNCE = "announce"  # marks a look whose answer is to be spoken
HELD_OFF_S = 0.5


class RingStep(StepRun):
    """180 while not picked up, the ringing tone once it is."""

    entered: Entered | None = None  # the store has let the call in already, as it arrived

    def begin(self) -> None:
        """Asks the store to ring, unless it does so already, and starts the step's time."""
        self._late = self._asked = self._lost = False
        self._why = "nobody"  # should nobody be left to ring
        if self.call.stage in (Stage.ARRIVED, Stage.FLOW):
            self.call.stage = Stage.RINGING
        self.call.deadlines.set("ring", float(self.step["total_s"]), self._time_over)
        if self.call.stage is Stage.TALKING:  # the log was faster than the store's answer
            return
        self.sound()
        if self.entered is None:
            self._ask("ring_step", step=self.step.id, settings=self._settings(), at=now_ms())
        else:
            self.on_entered(self.entered, self.ref)

    def sound(self) -> None:
        """What the caller hears behind everything: music, where somebody has already talked with them."""
        if self.call.transfers.moved:
            self.call.voice.hold()
        elif self.call.answered:
            self.call.voice.hold(tones.ringing(self.call.origin.country, self.call.tools.prompts.rate))

    def end(self) -> None:
        """Nobody is rung from here any more."""
        self.call.deadlines.cancel("ring", "check", ANNOUNCE)
        self.call.voice.quiet()
        self.call.rung.clear()

    # ---- the store and the log speak

    def on_entered(self, entered: Entered, ref: str) -> None:
        """Who is rung, and whether anybody may yet be."""
        rung = self.call.rung
        self._asked = False
        rung.told(entered.ringing)
        if entered.ringing:  # and yet nobody is rung: the log was faster, and they have rejected
            self._why = "timeout" if rung.users else "all_rejected"
        if self.call.stage is not Stage.RINGING:
            return
        if not rung.users and not entered.waits:
            self._over(self._why)
        elif not rung.users:
            self._look_in(self.call.tools.rules.check)
        if ref.endswith(ANNOUNCE) and self.call.stage is Stage.RINGING:
            self.announce(entered)

    def on_returned(self, entered: Entered) -> None:
        """The call was taken back from an agent who stayed away; others may be rung."""
        self._why = "agent_lost"
        self.on_entered(entered, self.ref)

    def on_stopped(self, reason: str) -> None:
        """One who was rung is no more. The next one is heard of in a moment, if there is one."""
        if reason != "missed":
            self._why = "all_rejected"
        if self.call.stage is Stage.RINGING and not self.call.rung.users and not self._asked:
            self._look_in(self.call.tools.rules.settle)

    def on_accept_failed(self) -> None:
        """Ringing goes on, unless its time is over."""
        if self._late:
            self._over("timeout")
        elif not self.call.rung.users:
            self._look_in(0)

    def on_user_over(self, user: str) -> None:
        """This user has been rung for as long as the step wants."""
        if self.call.stage is Stage.RINGING:
            self.call.rung.stopped(user)
            self._ask("ring_missed", user_id=user, at=now_ms())
        elif self.call.stage is Stage.ACCEPTING:  # by this user or another: should it fail, the time is still over
            self.call.rung.again(user, HELD_OFF_S)

    def announce(self, entered: Entered) -> None:
        """Only a queue does."""

    # ---- an agent has the call, or has lost it

    def pause(self) -> None:
        """An agent talks."""
        self.end()

    def again(self) -> None:
        """The agent stayed away: others are rung for the step's time once more, to music; then the flow goes on."""
        self._late, self._asked, self._lost = False, True, True
        self.call.transfers.moved = True
        self.call.deadlines.set("ring", float(self.step["total_s"]), self._time_over)

    # ---- time

    def _time_over(self) -> None:
        self._late = True
        if self.call.stage is Stage.RINGING:
            self._over("timeout")

    def _look_in(self, seconds: float) -> None:
        self.call.deadlines.set("check", seconds, self._look)

    def _look(self, what: str = "") -> None:
        """Asks how things stand while nobody is rung; goes on asking, should the store not answer."""
        self._look_in(self.call.tools.rules.check)
        if self.call.stage is Stage.RINGING and (what or not self.call.rung.users):
            self._ask("check", what)

    def _ask(self, fact: str, what: str = "", **fields: Any) -> None:
        self._asked = True
        self.call.tools.put(fact, self.call.id, ref=self.ref + what, **fields)

    def _over(self, reason: str) -> None:
        self.call.say("ring_over", at=now_ms(), reason=reason)
        self.call.tools.links.close_call(self.call.id, "ringing ended")
        self.run.reason = reason
        self.call.stage = Stage.FLOW
        self.run.next(BACK if self._lost else "")

    def _settings(self) -> dict[str, Any]:
        return {"kind": self.step.kind.value, **{name: self.step[name] for name in DEFAULTS[self.step.kind]}}


class Queue(RingStep):
    """Music, from time to time the caller's place, and the star key for a call back."""

    def begin(self) -> None:
        """Picks up, and waits."""
        self.call.pick_up()
        super().begin()
        if self.call.stage is Stage.RINGING and (self.step["position"] or self.step["estimate"] or self._calls_back):
            self.call.deadlines.set(ANNOUNCE, float(self.step["announce_first_s"]), self._announce_due)

    def sound(self) -> None:
        """The step's music, or the house's."""
        self.call.voice.hold(self.clip(self.step["music"]))

    def on_digit(self, digit: str) -> None:
        """The caller wants to be called back and keep the place."""
        if digit == "*" and self._calls_back and self.call.stage is Stage.RINGING:
            self.call.say("callback", at=now_ms())
            self.call.say("ring_over", at=now_ms(), reason="callback")
            self.call.part(prompts.CALLED_BACK, "callback")

    def announce(self, entered: Entered) -> None:
        """Tells the caller their place, unless nobody is ahead to speak of."""
        names = announcement(
            {name: self.step[name] for name in DEFAULTS[Kind.QUEUE]},
            self.call.language,
            position=entered.position,
            estimate_s=entered.estimate_s,
            can_call_back=self._calls_back,
        )
        if names:
            self.call.voice.say(self.shipped(*names), lambda: None)

    def _announce_due(self) -> None:
        self.call.deadlines.set(ANNOUNCE, float(self.step["announce_s"]), self._announce_due)
        self._look(ANNOUNCE)

    @property
    def _calls_back(self) -> bool:
        return bool(self.step["callback"]) and bool(self.call.origin.number)


def ring_of(step: Step, target: dict[str, str]) -> Step:
    """A ring step in the place of a lookup that named whom to ring."""
    return Step(step.id, Kind.RING, {"target": target})
