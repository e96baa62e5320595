"""Call flows of lines: read, checked and saved as a new version. Calls keep the version that they began with."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from aircall_core.desk import audit
from aircall_core.desk.errors import DeskError, Invalid, not_found
from aircall_core.desk.secrets import SecretBox, SecretKeyError
from aircall_core.domain import flow as flow_rules
from aircall_core.domain import flow_check
from aircall_core.domain.events import FLOW_CHANGED, STAFF, Event
from aircall_core.domain.flow import BadFlow, Flow, Problem, Step
from aircall_core.logs import get_logger
from aircall_core.store import Store, Tx, provisioning
from aircall_core.store import flows as rows
from aircall_core.store.queries.flows import current, known_things

log = get_logger(__name__)

_LONGEST_SECRET: Final = 500
SECRETS: Final = "lookup_secrets"  # settings key: {"<line>:<step>": sealed}


class Unsound(DeskError):
    """A flow with problems, which cannot be saved."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("invalid", "This flow cannot be saved yet.", 422)
        self.problems = tuple(problems)


def save(
    tx: Tx,
    actor: str,
    line_id: str,
    document: Mapping[str, Any],
    version: int,
    *,
    box: SecretBox | None = None,
    secrets: Mapping[str, str] | None = None,
) -> int:
    """Save a line's flow as its next version; that version.

    ``version`` is the one that the author began with (0: the default flow); DeskError ``changed`` (409) when it is not
    the newest any more. Raises Unsound, naming each problem's step and setting. ``secrets``: tokens of lookup steps,
    by the step's id; '' takes one away.
    """
    line = provisioning.line_for_change(tx.conn, line_id)
    if line is None:
        raise not_found("The line")
    newest = rows.newest(tx.conn, line_id)
    before = newest["version"] if newest else 0
    if version != before:
        raise DeskError("changed", "Somebody else has saved this flow since you began.", 409, {"version": before})
    kept = dict(_kept_secrets(tx, line_id))
    _take_secrets(kept, line_id, secrets or {}, box)
    try:
        flow = _with_secrets(flow_rules.parse(document), {key.partition(":")[2] for key in kept})
    except BadFlow as bad:
        raise Invalid({"document": str(bad)}) from bad
    problems = flow_check.problems(flow, known_things(tx.conn, line_id))
    if problems:
        raise Unsound(problems)
    fresh = flow_rules.document_of(flow.steps)
    if newest is not None and fresh == newest["document"] and not secrets:
        return before
    author = actor.removeprefix("user:") if actor.startswith("user:") else None
    rows.add(tx.conn, line_id=line_id, version=before + 1, document=fresh, created_at=tx.now_ms(), created_by=author)
    _put_secrets(tx, line_id, kept, flow)
    tx.append(Event(FLOW_CHANGED, STAFF, actor, line_id=line_id, data={"version": before + 1}))
    old = [step.kind.value for step in current(tx.conn, line_id, version=before)[1]] if newest else []
    changes: dict[str, tuple[Any, Any]] = {"version": (before, before + 1)}
    if old != [step.kind.value for step in flow]:
        changes["steps"] = (len(old), len(list(flow)))
    if secrets:
        changes["secret"] = ("", "given")  # the log says no more than that it changed
    audit.note(tx, actor, FLOW_CHANGED, line_id, line["name"], changes)
    return before + 1


# ---- the tokens of lookup steps


def lookup_secrets(store: Store, box: SecretBox) -> dict[tuple[str, str], str]:
    """Bearer tokens of lookup steps by (line, step). One that cannot be read must not keep the others from working."""
    with store.read() as conn:
        sealed: dict[str, str] = provisioning.setting(conn, SECRETS) or {}
    found: dict[tuple[str, str], str] = {}
    for key, text in sealed.items():
        line, _, step = key.partition(":")
        try:
            found[line, step] = box.open(text)
        except SecretKeyError:
            log.error("lookup_secret_unreadable", line=line, step=step)
    return found


def _kept_secrets(tx: Tx, line_id: str) -> Iterator[tuple[str, str]]:
    stored: dict[str, str] = provisioning.setting(tx.conn, SECRETS) or {}
    return ((key, text) for key, text in stored.items() if key.startswith(f"{line_id}:"))


def _take_secrets(kept: dict[str, str], line_id: str, given: Mapping[str, str], box: SecretBox | None) -> None:
    for step, text in given.items():
        if len(text) > _LONGEST_SECRET or not text.isprintable():
            raise Invalid({"secret": f"Use at most {_LONGEST_SECRET} letters, in one line."})
        if not text:
            kept.pop(f"{line_id}:{step}", None)
        elif box is not None:
            kept[f"{line_id}:{step}"] = box.seal(text)


def _put_secrets(tx: Tx, line_id: str, kept: Mapping[str, str], flow: Flow) -> None:
    """Tokens of this line's steps; those of steps that are gone are forgotten."""
    stored: dict[str, str] = provisioning.setting(tx.conn, SECRETS) or {}
    others = {key: text for key, text in stored.items() if not key.startswith(f"{line_id}:")}
    mine = {key: text for key, text in kept.items() if flow.get(key.partition(":")[2]) is not None}
    if {**others, **mine} != stored:
        provisioning.put_setting(tx.conn, SECRETS, {**others, **mine})


def _with_secrets(flow: Flow, having: set[str]) -> Flow:
    """The flow with `has_secret` as it is, whatever the author's document says."""
    return Flow(_marked(flow.steps, having))


def _marked(steps: Sequence[Step], having: set[str]) -> tuple[Step, ...]:
    found = []
    for step in steps:
        branches = {name: _marked(inside, having) for name, inside in step.branches.items()}
        settings = dict(step.settings)
        if step.kind is flow_rules.Kind.LOOKUP:
            settings["has_secret"] = step.id in having
        found.append(Step(step.id, step.kind, settings, branches))
    return tuple(found)
