"""What steps and branches are called, and a step in one line."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aircall_core import numbers
from aircall_core.domain.flow import Kind, Step
from aircall_core.ui.text import t

ICONS: Mapping[Kind, str] = {
    Kind.HOURS: "schedule",
    Kind.MENU: "dialpad",
    Kind.DIGITS: "pin",
    Kind.RING: "call",
    Kind.QUEUE: "groups",
    Kind.LOOKUP: "travel_explore",
    Kind.MESSAGE: "volume_up",
    Kind.DIAL: "phone_forwarded",
    Kind.REDIRECT: "call_split",
    Kind.VOICEMAIL: "voicemail",
    Kind.HANG_UP: "call_end",
}


@dataclass(frozen=True, slots=True)
class Names:
    """What the things are called that steps name, by id."""

    lines: Mapping[str, str] = field(default_factory=dict)
    teams: Mapping[str, str] = field(default_factory=dict)
    users: Mapping[str, str] = field(default_factory=dict)
    schedules: Mapping[str, str] = field(default_factory=dict)
    prompts: Mapping[str, str] = field(default_factory=dict)


def kind(of: Kind) -> str:
    """What such a step is called."""
    return t(f"flow.kind_{of.value}")


def branch(step: Step, name: str) -> str:
    """What a branch of a step is called; '' is the way past its branches."""
    if step.kind is Kind.MENU and name != "none":
        label = str(step["options"].get(name, "")).strip()
        return f"{name} · {label}" if label else name
    if not name:
        return t(f"flow.past_{step.kind.value}")
    if step.kind is Kind.LOOKUP:
        return name
    return t(f"flow.branch_{step.kind.value}_{name}")


def summary(step: Step, names: Names) -> str:
    """A step in one line, without its kind."""
    match step.kind:
        case Kind.HOURS:
            return names.schedules.get(str(step["schedule"]), t("flow.unset"))
        case Kind.MENU:
            return f"{_prompt(step['prompt'], names)} · {t('flow.options', count=len(step['options']))}"
        case Kind.DIGITS:
            return str(step["label"]) or t("flow.unset")
        case Kind.RING:
            return f"{_target(step['target'], names)} · {strategy(step)} · {t('flow.seconds', count=step['total_s'])}"
        case Kind.QUEUE:
            return f"{_target(step['target'], names)} · {t('flow.up_to', time=duration(step['total_s']))}"
        case Kind.LOOKUP:
            return str(step["url"]).partition("//")[2] or t("flow.unset")
        case Kind.DIAL:
            number = numbers.spoken_form(str(step["number"]), "") or t("flow.unset")
            return f"{number} · {t('flow.seconds', count=step['ring_s'])}"
        case Kind.REDIRECT:
            return names.lines.get(str(step["line"]), t("flow.unset"))
        case Kind.VOICEMAIL:
            return f"{_prompt(step['prompt'], names)} · {t('flow.up_to', time=duration(step['max_s']))}"
        case Kind.MESSAGE:
            return _prompt(step["prompt"], names)
        case Kind.HANG_UP:
            return ""


def strategy(step: Step) -> str:
    """How a step chooses whom to ring."""
    return t(f"flow.strategy_{step['strategy']}")


def duration(seconds: Any) -> str:
    """Seconds for people: 90 s, 10 min."""
    if not isinstance(seconds, int):
        return "?"
    return (
        t("flow.minutes", count=seconds // 60)
        if seconds >= 120 and seconds % 60 == 0
        else t("flow.seconds", count=seconds)
    )


def shipped(name: str) -> str:
    """What a shipped prompt is called."""
    return t(f"flow.shipped_{name.replace('-', '_')}")


def _prompt(value: Any, names: Names) -> str:
    if not isinstance(value, Mapping):
        return t("flow.no_prompt")
    if "shipped" in value:
        return shipped(str(value["shipped"]))
    return names.prompts.get(str(value.get("prompt")), t("flow.unset"))


def _target(value: Any, names: Names) -> str:
    if isinstance(value, Mapping) and "team" in value:
        return names.teams.get(str(value["team"]), t("flow.unset"))
    if isinstance(value, Mapping) and "user" in value:
        return names.users.get(str(value["user"]), t("flow.unset"))
    return t("flow.line_users")
