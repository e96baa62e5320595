"""What is wrong with a call flow, and in which step and setting: a flow with problems cannot be saved.

Whatever a step names must exist, numbers must lie within their limits, nothing may follow where the flow always ends,
and a branch that no caller can take must not be there.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from aircall_core.domain.flow import (
    CLOSED,
    ENDS,
    KEYS,
    LIMITS,
    NONE,
    OPEN,
    STRATEGIES,
    Flow,
    Kind,
    Problem,
    Step,
)

# Callers may go past the branches of these, on to what follows: who typed digits, whom no answer sends elsewhere.
PASSED = frozenset({Kind.DIGITS, Kind.LOOKUP})
LONGEST_LABEL, LONGEST_URL, MOST_BRANCHES = 40, 500, 12
SHIPPED = ("nobody-available", "recording-notice", "blocked", "voicemail", "goodbye", "invalid-choice", "hold-music")
_BRANCH = re.compile(r"[A-Za-z0-9_-]{1,32}")

Found = Iterator[Problem]


@dataclass(frozen=True, slots=True)
class Known:
    """The ids that a flow may name. ``lines``: those that callers may be sent on to, thus without the flow's own.

    ``not_dialled`` says why an outside number is not dialled from this line (domain/dialling.py: Why), if it is not.
    """

    lines: frozenset[str] = frozenset()
    teams: frozenset[str] = frozenset()
    users: frozenset[str] = frozenset()
    schedules: frozenset[str] = frozenset()
    prompts: frozenset[str] = frozenset()
    not_dialled: Callable[[str], str | None] = lambda _: None


def branches_of(step: Step) -> tuple[str, ...]:
    """The branches that a caller can take from a step, in the order in which they are read."""
    if step.kind is Kind.HOURS:
        return (OPEN, CLOSED)
    if step.kind is Kind.MENU:
        options = step["options"] if isinstance(step["options"], Mapping) else {}
        return (*sorted(options, key=(KEYS.find)), NONE)
    if step.kind is Kind.DIGITS:
        return (NONE,)
    if step.kind is Kind.LOOKUP:
        return tuple(step.branches)
    return ()


def problems(flow: Flow, known: Known) -> list[Problem]:
    """Everything that is wrong, in the order of the steps; nothing when the flow can be saved."""
    found: list[Problem] = []
    if not flow.steps:
        found.append(Problem("", "steps", "empty"))
    _lists(flow.steps, found)
    for step in flow:
        found += _numbers(step)
        found += _SETTINGS[step.kind](step, known)
        impossible = set(step.branches) - set(branches_of(step))
        found += [Problem(step.id, "branches", "no_branch", {"branch": one}) for one in sorted(impossible)]
    return found


def always_ends(steps: Sequence[Step]) -> bool:
    """Whether no caller leaves this list of steps: one of them ends the flow, or all of its branches do."""
    return any(_ends(step) for step in steps)


def _ends(step: Step) -> bool:
    ways = branches_of(step)
    if step.kind in PASSED or not ways:
        return step.kind in ENDS
    return all(always_ends(step.branches.get(one, ())) for one in ways)


def _lists(steps: Sequence[Step], found: list[Problem]) -> None:
    """Nothing follows where the flow always ends."""
    for index, step in enumerate(steps):
        if index and always_ends(steps[:index]):
            found.append(Problem(step.id, "", "unreachable"))
            break  # what is behind it is no other mistake
    for step in steps:
        for inside in step.branches.values():
            _lists(inside, found)


def _numbers(step: Step) -> Found:
    for (kind, setting), (low, high) in LIMITS.items():
        value = step[setting]
        if kind is not step.kind or (setting == "length" and value is None):
            continue
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            yield Problem(step.id, setting, "between", {"low": low, "high": high})


# ---- by kind


def _hours(step: Step, known: Known) -> Found:
    yield from _named(step, "schedule", step["schedule"], known.schedules)


def _menu(step: Step, known: Known) -> Found:
    yield from _prompt(step, "prompt", known)
    options = step["options"]
    if not isinstance(options, Mapping) or not options:
        yield Problem(step.id, "options", "no_options")
        return
    for key, label in options.items():
        if not isinstance(key, str) or len(key) != 1 or key not in KEYS:
            yield Problem(step.id, "options", "no_key", {"key": str(key)[:10]})
        elif not _is_label(label):
            yield Problem(step.id, f"options.{key}", "label", {"key": key, "longest": LONGEST_LABEL})


def _digits(step: Step, known: Known) -> Found:
    yield from _prompt(step, "prompt", known)
    if not _is_label(step["label"]):
        yield Problem(step.id, "label", "digits_label", {"longest": LONGEST_LABEL})
    if step["end_key"] not in ("#", "*", None, ""):
        yield Problem(step.id, "end_key", "end_key")
    elif not step["end_key"] and step["length"] is None:
        yield Problem(step.id, "length", "no_end")


def _ring(step: Step, known: Known) -> Found:
    yield from _target(step, known)
    if step["strategy"] not in STRATEGIES:
        yield Problem(step.id, "strategy", "choose")
    one_by_one = step["strategy"] != "simultaneous" or step.kind is Kind.QUEUE
    if one_by_one and _is_number(step["user_s"]) and _is_number(step["total_s"]) and step["user_s"] > step["total_s"]:
        yield Problem(step.id, "user_s", "longer_than_all", {"total_s": step["total_s"]})


def _queue(step: Step, known: Known) -> Found:
    yield from _ring(step, known)
    yield from _prompt(step, "music", known, needed=False)


def _lookup(step: Step, _: Known) -> Found:
    url = step["url"] if isinstance(step["url"], str) else ""
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
        _port = parts.port
    except ValueError:
        good = False
    if not good or len(url) > LONGEST_URL:
        yield Problem(step.id, "url", "url")
    if len(step.branches) > MOST_BRANCHES:
        yield Problem(step.id, "branches", "too_many", {"most": MOST_BRANCHES})
    for name in step.branches:
        if not _BRANCH.fullmatch(name):
            yield Problem(step.id, "branches", "branch_name", {"branch": name})


def _message(step: Step, known: Known) -> Found:
    yield from _prompt(step, "prompt", known)


def _dial(step: Step, known: Known) -> Found:
    number = step["number"]
    if not isinstance(number, str) or not number.strip():
        yield Problem(step.id, "number", "no_number")
    elif (why := known.not_dialled(number)) is not None:
        yield Problem(step.id, "number", f"dial_{why}")


def _redirect(step: Step, known: Known) -> Found:
    yield from _named(step, "line", step["line"], known.lines)


def _nothing(_: Step, __: Known) -> Found:
    return iter(())


_SETTINGS: Mapping[Kind, Callable[[Step, Known], Found]] = {
    Kind.HOURS: _hours,
    Kind.MENU: _menu,
    Kind.DIGITS: _digits,
    Kind.RING: _ring,
    Kind.QUEUE: _queue,
    Kind.LOOKUP: _lookup,
    Kind.MESSAGE: _message,
    Kind.DIAL: _dial,
    Kind.REDIRECT: _redirect,
    Kind.VOICEMAIL: _message,
    Kind.HANG_UP: _nothing,
}


# ---- parts


def _named(step: Step, setting: str, value: Any, known: Iterable[str]) -> Found:
    if not value:
        yield Problem(step.id, setting, f"no_{setting}")
    elif not _is_in(value, known):
        yield Problem(step.id, setting, "gone")


def _prompt(step: Step, setting: str, known: Known, *, needed: bool = True) -> Found:
    value = step[setting]
    if value is None:
        if needed:
            yield Problem(step.id, setting, "no_prompt")
    elif not isinstance(value, Mapping) or len(value) != 1:
        yield Problem(step.id, setting, "choose")
    elif "shipped" in value:
        if value["shipped"] not in SHIPPED:
            yield Problem(step.id, setting, "gone")
    elif not _is_in(value.get("prompt"), known.prompts):
        yield Problem(step.id, setting, "gone")


def _target(step: Step, known: Known) -> Found:
    target = step["target"]
    if not isinstance(target, Mapping) or len(target) != 1:
        yield Problem(step.id, "target", "choose")
    elif "team" in target:
        yield from _one_of(step, target["team"], known.teams, "no_team")
    elif "user" in target:
        yield from _one_of(step, target["user"], known.users, "no_user")
    elif target != {"line": True}:
        yield Problem(step.id, "target", "choose")


def _one_of(step: Step, value: Any, known: Iterable[str], missing: str) -> Found:
    if not value:
        yield Problem(step.id, "target", missing)
    elif not _is_in(value, known):
        yield Problem(step.id, "target", "gone")


def _is_in(value: Any, known: Iterable[str]) -> bool:
    return isinstance(value, str) and value in known


def _is_label(value: Any) -> bool:
    return isinstance(value, str) and 1 <= len(value.strip()) <= LONGEST_LABEL


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
