"""The installation and the company that runs it: a few values that everything else is read by."""

import secrets as random
from collections.abc import Mapping
from datetime import date
from typing import Any, Final
from zoneinfo import available_timezones

from aircall_core import numbers
from aircall_core.desk import audit, trunks
from aircall_core.desk.errors import Invalid
from aircall_core.domain import plan, rollout
from aircall_core.domain.events import COMPANY_CHANGED, STAFF, Event
from aircall_core.store import Store, Tx, due, provisioning
from aircall_core.store.queries import company as stored

_INSTALL_ID: Final = "install_id"
ROLLOUT_DUE: Final = "rollout"  # the due row that ends an announcement
MOST_MISSED: Final = 20
_DAY_MS: Final = 86_400_000


def ensure_installation(store: Store) -> str:
    """Make what every installation has (its id, the test phone's trunk) if it is not there yet; the id.

    The id is part of the session cookie's name, so that two consoles on one host do not sign each other's users out.
    """
    with store.write() as tx:
        trunks.ensure_test_trunk(tx)
        known = provisioning.setting(tx.conn, _INSTALL_ID)
        if isinstance(known, str):
            return known
        fresh = random.token_hex(4)
        provisioning.put_setting(tx.conn, _INSTALL_ID, fresh)
        return fresh


def read(store: Store) -> dict[str, Any]:
    """The company: name, country (ISO 3166), timezone (IANA), language; plan, rollout, auto_pause_after."""
    with store.read() as conn:
        return stored.everything(conn)


def change(tx: Tx, actor: str, wanted: Mapping[str, Any]) -> None:
    """Change what is given of the company. Invalid names each wrong field."""
    known = stored.everything(tx.conn)
    after: dict[str, Any] = {**known, **wanted}
    wrong: dict[str, str] = {}
    if set(wanted) & set(stored.PROFILE):
        wrong |= _check_profile(after)
    if set(wanted) & set(stored.PLAN):
        wrong |= _check_plan(tx, known, after, wanted)
    if "rollout" in wanted:
        wrong |= _check_rollout(tx, after)
    if not 0 <= int(after["auto_pause_after"]) <= MOST_MISSED:
        wrong["auto_pause_after"] = f"Choose at most {MOST_MISSED} calls; 0 is off."
    if wrong:
        raise Invalid(wrong)
    changes = audit.differences(known, {name: value for name, value in after.items() if name in known})
    if not changes:
        return
    stored.put(tx.conn, after)
    if "rollout" in changes or "timezone" in changes:
        _plan_rollout(tx, after)
    tx.append(Event(COMPANY_CHANGED, STAFF, actor, data={}))
    audit.note(tx, actor, COMPANY_CHANGED, "", after["name"], changes)


def end_announcement(tx: Tx) -> int | None:
    """An announced day has come: the new experience is on. When to look again (ms), or None."""
    known = stored.everything(tx.conn)
    told = known["rollout"]
    if told["state"] != rollout.ANNOUNCED:
        return None
    if rollout.state(told, known["timezone"], tx.now_ms()) != rollout.ON:
        return rollout.moment(rollout.day(told), known["timezone"])
    change(tx, "system", {"rollout": {**told, "state": rollout.ON}})
    return None


def _check_profile(after: dict[str, Any]) -> dict[str, str]:
    for name in stored.PROFILE:
        after[name] = str(after[name]).strip()
    after["country"] = after["country"].upper()
    wrong: dict[str, str] = {}
    if not 1 <= len(after["name"]) <= 80:
        wrong["name"] = "Enter the company's name, at most 80 characters."
    if not numbers.is_country(after["country"]):
        wrong["country"] = "Choose a country."
    if after["timezone"] not in available_timezones():
        wrong["timezone"] = "Choose a time zone, such as Europe/Paris."
    if after["language"] not in ("en", "es", "fr"):
        wrong["language"] = "Choose en, es or fr."
    return wrong


def _check_plan(tx: Tx, known: Mapping[str, Any], after: dict[str, Any], wanted: Mapping[str, Any]) -> dict[str, str]:
    wrong: dict[str, str] = {}
    if after["plan"] not in plan.PLANS:
        wrong["plan"] = f"Choose one of {', '.join(plan.PLANS)}."
    if not set(after["add_ons"]) <= set(plan.ADD_ONS):
        wrong["add_ons"] = f"Choose of {', '.join(plan.ADD_ONS)}."
    after["add_ons"] = sorted(set(after["add_ons"]))
    if after.pop("start_trial", False):
        if known["trial_until"] is not None:
            wrong["start_trial"] = "The trial was started before."
        after["trial_until"] = tx.now_ms() + plan.TRIAL_DAYS * _DAY_MS
    elif "trial_until" in wanted:
        after["trial_until"] = known["trial_until"]  # begun by start_trial alone, and not made longer
    return wrong


def _check_rollout(tx: Tx, after: dict[str, Any]) -> dict[str, str]:
    told = {**rollout.FRESH, **after["rollout"]}
    after["rollout"] = {name: told[name] for name in rollout.FRESH}
    if told["state"] not in rollout.STATES:
        return {"rollout.state": f"Choose one of {', '.join(rollout.STATES)}."}
    if told["state"] != rollout.ANNOUNCED:
        return {}
    try:
        day = date.fromisoformat(str(told["date"]))
    except ValueError:
        return {"rollout.date": "Choose the day of the move."}
    if rollout.moment(day, after["timezone"]) <= tx.now_ms():
        return {"rollout.date": "Choose a day to come; or switch it on now."}
    return {}


def _plan_rollout(tx: Tx, after: Mapping[str, Any]) -> None:
    told = after["rollout"]
    if told["state"] == rollout.ANNOUNCED:
        at = rollout.moment(rollout.day(told), after["timezone"])
        due.put(tx.conn, ROLLOUT_DUE, "company", at)
    else:
        due.drop(tx.conn, ROLLOUT_DUE, "company")
