"""The installation and the company that runs it: a few values that everything else is read by."""

import secrets as random
from collections.abc import Mapping
from typing import Any, Final
from zoneinfo import available_timezones

from aircall_core import numbers
from aircall_core.desk import trunks
from aircall_core.desk.errors import Invalid
from aircall_core.domain.events import COMPANY_CHANGED, STAFF, Event
from aircall_core.store import Store, Tx, provisioning

_INSTALL_ID: Final = "install_id"
_COMPANY: Final = "company"
_FRESH: Final = {"name": "", "country": "", "timezone": "UTC", "language": "en"}


def ensure_installation(store: Store, sip_host: str) -> str:
    """Make what every installation has (its id, the test phone's trunk) if it is not there yet; the id.

    The id is part of the session cookie's name, so that two consoles on one host do not sign each other's users out.
    """
    with store.write() as tx:
        trunks.ensure_test_trunk(tx, sip_host)
        known = provisioning.setting(tx.conn, _INSTALL_ID)
        if isinstance(known, str):
            return known
        fresh = random.token_hex(4)
        provisioning.put_setting(tx.conn, _INSTALL_ID, fresh)
        return fresh


def read(store: Store) -> dict[str, Any]:
    """The company: name, country (ISO 3166), timezone (IANA), language."""
    with store.read() as conn:
        return {**_FRESH, **(provisioning.setting(conn, _COMPANY) or {})}


def change(tx: Tx, actor: str, wanted: Mapping[str, str]) -> None:
    """Change what is given of the company."""
    known = {**_FRESH, **(provisioning.setting(tx.conn, _COMPANY) or {})}
    company = {**known, **{key: value.strip() for key, value in wanted.items() if key in _FRESH}}
    company["country"] = company["country"].upper()
    wrong: dict[str, str] = {}
    if not 1 <= len(company["name"]) <= 80:
        wrong["name"] = "Enter the company's name, at most 80 characters."
    if not numbers.is_country(company["country"]):
        wrong["country"] = "Choose a country."
    if company["timezone"] not in available_timezones():
        wrong["timezone"] = "Choose a time zone, such as Europe/Paris."
    if company["language"] not in ("en", "es", "fr"):
        wrong["language"] = "Choose en, es or fr."
    if wrong:
        raise Invalid(wrong)
    provisioning.put_setting(tx.conn, _COMPANY, company)
    tx.append(Event(COMPANY_CHANGED, STAFF, actor, data={}))
