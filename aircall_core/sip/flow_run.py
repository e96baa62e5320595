"""The line's flow, walked through by one caller: which step they are in, and which is next.

The document is the one that the call arrived with: whoever edits the flow meanwhile changes it for the next caller.
"""

from typing import TYPE_CHECKING

from aircall_core.desk.arrivals import ArrivalPlan
from aircall_core.desk.distribution import Entered
from aircall_core.desk.talk_facts import DialPlan
from aircall_core.domain.flow import CLOSED, OPEN, BadFlow, Flow, Kind, Step, parse
from aircall_core.ids import now_ms
from aircall_core.logs import get_logger
from aircall_core.sip.dial_step import DialStep
from aircall_core.sip.lookup import LookedUp
from aircall_core.sip.menu import Digits, Menu, Message
from aircall_core.sip.ring_step import Queue, RingStep, ring_of
from aircall_core.sip.steps import StepRun
from aircall_core.sip.tools import Stage
from aircall_core.sip.voicemail import Voicemail

if TYPE_CHECKING:
    from aircall_core.sip.calls import Call

log = get_logger(__name__)

MOST_REDIRECTS = 8  # two lines may name each other
LATE_S = 0.5  # after a lookup's own time: then its answer is not waited for


class Lookup(StepRun):
    """Asks a service where to go; without a usable answer the flow goes on."""

    def begin(self) -> None:
        """Puts the question; the caller hears what they heard before."""
        seconds, call = float(self.step["timeout_s"]), self.call
        question = {
            "call": call.id, "line": self.run.line_id, "from": call.origin.number,
            "path": self.run.path, "digits": self.run.digits,
        }  # fmt: skip
        call.deadlines.set("lookup", seconds + LATE_S, self.run.next)
        lookups = call.tools.lookups
        secret = lookups.secrets.get((self.run.line_id, self.step.id), "")
        lookups.ask(call.id, self.ref, str(self.step["url"]), question, seconds, secret)

    def end(self) -> None:
        """Not waited for any more."""
        self.call.deadlines.cancel("lookup")

    def on_answer(self, target: tuple[str, str] | None) -> None:
        """Goes where the service says."""
        kind, name = target or ("", "")
        if kind == "branch" and name in self.step.branches:
            self.run.into(name)
        elif kind == "line":
            self.run.redirect(name)
        elif kind in ("user", "team"):
            self.run.go(ring_of(self.step, {kind: name}))
        else:
            self.run.next()


_RUNS: dict[Kind, type[StepRun]] = {
    Kind.MENU: Menu, Kind.DIGITS: Digits, Kind.RING: RingStep, Kind.QUEUE: Queue, Kind.LOOKUP: Lookup,
    Kind.MESSAGE: Message, Kind.VOICEMAIL: Voicemail, Kind.DIAL: DialStep,
}  # fmt: skip


class FlowRun:
    """One call's way. What it has chosen and typed goes along into another line's flow."""

    def __init__(self, call: "Call", prefix: str = "") -> None:
        """`prefix`: of this run's visits to steps, where the call has been through another flow before."""
        self.call = call
        self._prefix = prefix
        self.line_id = call.origin.line_id
        self.step_id = ""  # where the call is, or ended
        self.reason = "end"  # why the last ring step was over
        self.message_left = False
        self.path: list[dict[str, str]] = []
        self.digits: list[dict[str, str]] = []
        self.now: StepRun | None = None
        self._flow = Flow(())
        self._plan: ArrivalPlan | None = None
        self._visits = self._redirects = 0
        self._todo: list[tuple[Step | None, Entered | None]] = []
        self._going = False
        self._redirecting = ""

    # ---- the way

    def start(self, plan: ArrivalPlan) -> None:
        """Begins where the store has let the call in."""
        self._plan = plan
        self.call.tools.prompts.fetch(plan.prompts)
        try:
            self._flow = parse(plan.flow)
        except BadFlow:  # no editor of ours saves one: the caller is told that nobody is there, not left in silence
            log.exception("flow_unreadable", call=self.call.id, version=plan.flow_version)
        self.go(self._flow.get(plan.step), plan.entered)

    def next(self, skip: str = "") -> None:
        """On to what follows the step, past one of this id: who was sent a call and lost it sends nobody back."""
        step = self._flow.after(self.step_id)
        self.go(self._flow.after(skip) if step is not None and step.id == skip else step)

    def into(self, branch: str) -> None:
        """Into a branch of the step."""
        self.go(self._flow.into(self.step_id, branch))

    def give_up(self, reason: str) -> None:
        """The step cannot be done, and with it the flow: the parting message."""
        self.reason = reason
        self.go(None)

    def go(self, step: Step | None, entered: Entered | None = None) -> None:
        """Leaves the step for another; None: the flow is over. A step that leads on at once is left from here."""
        self._todo.append((step, entered))
        if self._going:
            return
        self._going = True
        try:
            while self._todo:
                self.leave()
                self._enter(*self._todo.pop(0))
        except Exception:  # a step of which nobody has thought: the caller is not left in silence
            log.exception("step_failed", call=self.call.id, step=self.step_id)
            self.leave()
            self.call.overflow("broken")
        finally:
            self._going = False
            self._todo.clear()

    def leave(self) -> None:
        """Nothing of the present step goes on."""
        run, self.now = self.now, None
        if run is not None:
            run.end()

    def _enter(self, step: Step | None, entered: Entered | None) -> None:
        call = self.call
        if step is None:
            call.overflow(self.reason)
            return
        self.step_id = step.id
        self._visits += 1
        if step.kind is Kind.HOURS:
            self._judge_hours(step)
        elif step.kind is Kind.REDIRECT:
            self.redirect(str(step["line"]))
        elif step.kind is Kind.HANG_UP:
            call.deadlines.set("leave", call.tools.rules.tail if call.answered else 0, self._hang_up)
        else:
            run = self.now = _RUNS[step.kind](self, step, f"{self._prefix}{self._visits}.")
            if isinstance(run, RingStep):
                run.entered = entered
            else:
                call.stage = Stage.FLOW
                call.say("step", step=step.id, kind=step.kind.value, at=now_ms())
            run.begin()

    def _hang_up(self) -> None:
        self.call.end("system", "hang_up")

    def _judge_hours(self, step: Step) -> None:
        """The store sent the open times of the next day and a half; a schedule that is not there is closed."""
        at, spans = now_ms(), (self._plan.hours if self._plan else {}).get(str(step["schedule"]), ())
        is_open = any(opens <= at < closes for opens, closes in spans)
        branch = OPEN if is_open else CLOSED
        self.call.say("chose", step=step.id, key=branch, label="", at=at, closed=not is_open)
        self.into(branch)

    # ---- another line

    def redirect(self, line_id: str) -> None:
        """Another line's flow goes on with the call; the store says how."""
        self.leave()
        self._redirects += 1
        if self._redirects > MOST_REDIRECTS:
            log.warning("redirected_too_often", call=self.call.id)
            self.give_up("redirects")
            return
        self.call.stage = Stage.FLOW
        self._redirecting = line_id
        self.call.say("redirected", line_id=line_id, at=now_ms())
        self.call.deadlines.set("redirect", self.call.tools.rules.unplanned, lambda: self.give_up("redirect"))

    def on_redirected(self, plan: ArrivalPlan) -> None:
        """The other line's flow is here."""
        if self._redirecting and self.call.stage in (Stage.FLOW, Stage.ACCEPTING):
            self.call.deadlines.cancel("redirect")
            self.line_id, self._redirecting = self._redirecting, ""
            if plan.flow:  # else that line is gone, and the flow at its end
                self.call.plan = plan
            self.start(plan)

    # ---- what the step hears

    def on_digit(self, digit: str) -> None:
        """A key of the caller's."""
        if self.now is not None:
            self.now.on_digit(digit)

    def on_entered(self, entered: Entered, ref: str) -> None:
        """The store's answer to a ring step's report."""
        if self.ringing is not None and ref.startswith(self.ringing.ref):
            self.ringing.on_entered(entered, ref)

    def on_dial_plan(self, plan: DialPlan | None, ref: str) -> None:
        """The store's answer to a step that wants to call a number."""
        if isinstance(self.now, DialStep) and ref == self.now.ref:
            self.now.on_plan(plan)

    def on_looked_up(self, answer: LookedUp) -> None:
        """A service's answer."""
        if isinstance(self.now, Lookup) and answer.ref == self.now.ref:
            self.now.on_answer(answer.target)

    @property
    def ringing(self) -> RingStep | None:
        """The step, if it is one in which users are rung."""
        return self.now if isinstance(self.now, RingStep) else None
