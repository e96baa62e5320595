"""A line's flow as one call goes through it: which version, when it is open, which files it plays."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aircall_core.domain.flow import CLOSED, DEFAULTS, OPEN, BadFlow, Flow, Kind, Step, default_flow, parse
from aircall_core.logs import get_logger
from aircall_core.store import flows, schedules
from aircall_core.store.engine import Tx

log = get_logger(__name__)

ASSIGNEE = "assignee"  # id of the step that rings a conversation's assignee alone, before the line's flow
HOURS_AHEAD_MS = 36 * 3_600_000  # how far a plan tells opening hours: no call lasts longer


@dataclass(frozen=True, slots=True)
class Way:
    """A line's flow as one call goes through it, and what it needs."""

    flow: Flow
    version: int
    hours: Mapping[str, list[list[int]]]
    prompts: Mapping[str, str]

    @classmethod
    def through(
        cls, tx: Tx, line: Mapping[str, Any], assignee: str | None, now: int, version: int | None = None
    ) -> "Way":
        """The newest flow of the line (or the ``version`` that a call began with), the assignee rung before it."""
        found = flows.newest(tx.conn, line["id"]) if version is None else flows.version(tx.conn, line["id"], version)
        flow = _readable(line["id"], found["document"]) if found else None
        if flow is None:
            found, flow = None, default_flow(line["ring_s"])
        if assignee is not None and line["assignee_first_s"]:
            seconds = line["assignee_first_s"]
            settings = {"target": {"user": assignee}, "total_s": seconds, "user_s": seconds}
            flow = Flow([Step(ASSIGNEE, Kind.RING, settings), *flow.steps])
        if found is None:
            return cls(flow, 0, {}, {})
        asked = sorted({step["schedule"] for step in flow if step.kind is Kind.HOURS and step["schedule"]})
        wanted = sorted(prompt["prompt"] for prompt in _prompts(flow) if "prompt" in prompt)
        return cls(
            flow,
            found["version"],
            schedules.open_intervals(tx.conn, asked, now, now + HOURS_AHEAD_MS),
            flows.prompt_paths(tx.conn, wanted) if wanted else {},
        )

    def begin(self, now: int) -> tuple[Step | None, list[tuple[str, str]]]:
        """The first step that is not a matter of the time of day, and the branches taken before it: (step, branch)."""
        step = self.flow.first()
        taken: list[tuple[str, str]] = []
        while step is not None and step.kind is Kind.HOURS:
            is_open = any(begin <= now < end for begin, end in self.hours.get(step["schedule"], ()))
            branch = OPEN if is_open else CLOSED
            taken.append((step.id, branch))
            step = self.flow.into(step.id, branch)
        return step, taken


def _readable(line_id: str, document: Mapping[str, Any]) -> Flow | None:
    """The flow of a document, which was checked when it was saved; None if it has been spoilt since."""
    try:
        return parse(document)
    except BadFlow as problem:
        log.error("flow_unreadable", line=line_id, problem=str(problem))
        return None


def _prompts(flow: Flow) -> list[Mapping[str, Any]]:
    found = [step[name] for step in flow for name in ("prompt", "music") if name in DEFAULTS[step.kind]]
    return [one for one in found if one]
