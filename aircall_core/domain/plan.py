"""What the company's plan and add-ons include, and why a feature is off."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

PLANS = ("essentials", "professional", "custom")  # each holds what stands before it
DEFAULT_PLAN = "professional"
ADD_ONS = ("ai", "sms")
TRIAL_DAYS = 14


class Feature(StrEnum):
    """What a plan or an add-on can switch on."""

    AI_CONTEXT = "ai_context"
    SMS = "sms"
    POWER_DIALER = "power_dialer"


# Features of this version. The others say that they are yet to come, whatever the plan is.
BUILT: frozenset[Feature] = frozenset({Feature.POWER_DIALER, Feature.SMS})
_FROM_PLAN: Mapping[Feature, str] = {Feature.POWER_DIALER: "professional"}
_ADD_ON: Mapping[Feature, str] = {Feature.AI_CONTEXT: "ai", Feature.SMS: "sms"}


@dataclass(frozen=True, slots=True)
class Gate:
    """Whether a feature is on; else ``why``: plan, add_on, trial_over, not_built, and what would switch it on."""

    feature: Feature
    on: bool
    why: str = ""
    needs: str = ""
    until: int | None = None  # ms: on, or to be on, as a trial that ends then


def gate(feature: Feature, company: Mapping[str, Any], at: int) -> Gate:
    """The gate of a feature. ``company``: plan, add_ons (their names), trial_until (ms or None)."""
    wanted = _FROM_PLAN.get(feature)
    if wanted and PLANS.index(company["plan"]) < PLANS.index(wanted):
        return Gate(feature, False, "plan", wanted)
    add_on, until = _ADD_ON.get(feature), None
    if add_on and add_on not in company["add_ons"]:
        until = company["trial_until"] if add_on == "ai" else None
        if until is None:
            return Gate(feature, False, "add_on", add_on)
        if until <= at:
            return Gate(feature, False, "trial_over", add_on, until)
    if feature not in BUILT:
        return Gate(feature, False, "not_built", until=until)
    return Gate(feature, True, until=until)
