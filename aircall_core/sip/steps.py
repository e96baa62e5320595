"""What every step of a flow is to the worker: something that begins, hears keys, and ends.

A step's `begin` and the keys it hears may lead on at once (`run.next()`); `end` is called whenever the step is left,
also when the call is over or an agent has it.
"""

from typing import TYPE_CHECKING, Any

from aircall_core.domain.flow import Step

if TYPE_CHECKING:
    from aircall_core.sip.calls import Call
    from aircall_core.sip.flow_run import FlowRun
    from aircall_core.sip.prompts import Clip


class StepRun:
    """One step that a caller is in. `ref` is this visit's own: answers that come late for another are not for us."""

    def __init__(self, run: "FlowRun", step: Step, ref: str) -> None:
        self.run, self.step, self.ref = run, step, ref
        self.call: Call = run.call

    def begin(self) -> None:
        """The caller enters."""
        raise NotImplementedError

    def on_digit(self, digit: str) -> None:
        """A key was pressed."""

    def end(self) -> None:
        """The caller has left the step, or the call."""

    # ---- what steps do

    def clip(self, reference: Any) -> "Clip":
        """The sound that a setting names."""
        return self.call.tools.prompts.find(reference, self.call.language)

    def shipped(self, *names: str) -> "list[Clip]":
        """Messages that ship, in the line's language."""
        return [self.call.tools.prompts.get(name, self.call.language) for name in names]
