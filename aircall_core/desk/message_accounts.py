"""Accounts that texts come and go through: made, changed, removed. Their secrets are encrypted, never shown again."""

import base64
import re
import secrets
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from aircall_core import ids
from aircall_core.desk import audit
from aircall_core.desk.errors import DeskError, Invalid, or_not_found
from aircall_core.desk.messages import SIP, TWILIO
from aircall_core.desk.secrets import SecretBox
from aircall_core.domain.events import MESSAGING_CHANGED, STAFF, Event
from aircall_core.store import Tx, provisioning
from aircall_core.store import message_settings as rows

WEBHOOK: Final = "webhook"
KINDS: Final = (SIP, TWILIO, WEBHOOK)
_LONGEST_NAME, _LONGEST_ADDRESS, _LONGEST_SECRET = 80, 500, 500
_ACCOUNT_SID, _SERVICE_SID = re.compile(r"AC[0-9a-f]{32}"), re.compile(r"MG[0-9a-f]{32}")  # Twilio's own forms
_COLUMNS: Final = ("name", "kind", "enabled", "trunk_id", "settings")


def create(tx: Tx, actor: str, box: SecretBox, *, secret: str = "", **wanted: Any) -> tuple[str, str]:
    """A new account; its id, and the signing secret where one was made (webhook): it is shown this once."""
    values = _checked(tx, wanted, None, secret)
    made = "" if secret or values["kind"] != WEBHOOK else new_signing_secret()
    sealed = box.seal(secret or made) if values["kind"] != SIP else None
    account_id = ids.new_id()
    rows.add_account(tx.conn, id=account_id, secret=sealed, created_at=tx.now_ms(), **values)
    _changed(tx, actor, account_id)
    audit.note(tx, actor, "message_account.created", account_id, values["name"], audit.differences(None, values))
    return account_id, made


def change(tx: Tx, actor: str, box: SecretBox, account_id: str, *, secret: str = "", **wanted: Any) -> None:
    """Change what is given. An empty secret keeps the one it has."""
    known = or_not_found(rows.account_for_change(tx.conn, account_id), "The account")
    values = _checked(tx, {**{name: known[name] for name in _COLUMNS}, **wanted}, known, secret)
    changes = audit.differences(known, values)
    new = {name: after for name, (_, after) in changes.items()}
    if secret and values["kind"] != SIP:
        new["secret"] = box.seal(secret)
        changes["secret"] = ("", secret)  # the log says only that it changed
    if not changes:
        return
    rows.change_account(tx.conn, account_id, **new)
    _changed(tx, actor, account_id)
    audit.note(tx, actor, "message_account.changed", account_id, values["name"], changes)


def remove(tx: Tx, actor: str, account_id: str) -> None:
    """Remove an account that no line uses."""
    known = or_not_found(rows.account_for_change(tx.conn, account_id), "The account")
    if using := rows.lines_through(tx.conn, account_id):
        raise DeskError("in_use", f"The texts of {', '.join(using)} go through it. Choose another one there first.")
    if rows.has_unsent(tx.conn, account_id):
        raise DeskError("in_use", "Texts still wait to go through it. Switch it off instead, or wait.")
    rows.remove_account(tx.conn, account_id)
    _changed(tx, actor, account_id)
    audit.note(tx, actor, "message_account.removed", account_id, known["name"])


def new_signing_secret() -> str:
    """A key for signatures, in the form of standardwebhooks.com."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()


def _checked(tx: Tx, wanted: Mapping[str, Any], known: Mapping[str, Any] | None, secret: str) -> dict[str, Any]:
    """The account's columns in the form they are kept. Invalid says what is wrong with each, all at once."""
    name = " ".join(str(wanted.get("name") or "").split())
    wrong = _name_problems(tx, name, known)
    kind = str(wanted.get("kind"))
    if kind not in KINDS:
        raise Invalid({**wrong, "kind": f"Choose one of {', '.join(KINDS)}."})
    if known is not None and kind != known["kind"]:
        raise Invalid({**wrong, "kind": "An account stays of its kind. Add another one."})
    given = dict(wanted.get("settings") or {})
    trunk_id = None
    settings: dict[str, Any] = {}
    if kind == SIP:
        trunk_id = wanted.get("trunk_id") or None
        wrong |= _trunk_problems(tx, trunk_id)
    elif kind == TWILIO:
        settings, more = _twilio(given)
        wrong |= more
    else:
        settings = {"url": _address(given, "url", wrong)}
    if kind != SIP:
        wrong |= _secret_problems(kind, secret, known)
        if not (wrong or secret) and known is not None and _leads_elsewhere(kind, known["settings"], settings):
            wrong["secret"] = "Enter the auth token again, since the address is another one."  # noqa: S105  a sentence
        settings |= {"private": True} if given.get("private") else {}
    if wrong:
        raise Invalid(wrong)
    enabled = wanted.get("enabled")
    return {
        "name": name, "kind": kind, "enabled": enabled is None or bool(enabled), "trunk_id": trunk_id,
        "settings": settings,
    }  # fmt: skip


def _name_problems(tx: Tx, name: str, known: Mapping[str, Any] | None) -> dict[str, str]:
    if not 1 <= len(name) <= _LONGEST_NAME:
        return {"name": f"Enter a name of at most {_LONGEST_NAME} characters, such as Texts by our carrier."}
    other = rows.account_named(tx.conn, name)
    if other is not None and (known is None or other["id"] != known["id"]):
        return {"name": "Another account has this name."}
    return {}


def _trunk_problems(tx: Tx, trunk_id: str | None) -> dict[str, str]:
    trunk = provisioning.trunk(tx.conn, trunk_id) if trunk_id else None
    if trunk is None:
        return {"trunk_id": "Choose the trunk that texts go through."}
    if not (trunk["outbound_host"] or trunk["host"]):
        return {"trunk_id": f"{trunk['name']} takes nothing out: enter its address for calls out first."}
    return {}


def _secret_problems(kind: str, secret: str, known: Mapping[str, Any] | None) -> dict[str, str]:
    if len(secret) > _LONGEST_SECRET:
        return {"secret": "This is too long."}
    if kind == TWILIO and not secret and known is None:
        return {"secret": "Enter the account's auth token."}
    if kind == WEBHOOK and secret and not _is_signing_secret(secret):
        words = "A signing secret is whsec_ and at least 24 bytes in base 64. Leave it empty to have one made."
        return {"secret": words}
    return {}


def _twilio(given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    wrong: dict[str, str] = {}
    account, service = (str(given.get(key) or "").strip() for key in ("account_sid", "messaging_service_sid"))
    if not _ACCOUNT_SID.fullmatch(account):
        wrong["account_sid"] = "An account SID is AC and 32 digits and letters from a to f."
    if service and not _SERVICE_SID.fullmatch(service):
        wrong["messaging_service_sid"] = "A messaging service's SID is MG and 32 digits and letters from a to f."
    settings: dict[str, Any] = {"account_sid": account}
    if service:
        settings["messaging_service_sid"] = service
    if given.get("api_url"):
        settings["api_url"] = _address(given, "api_url", wrong)
    return settings, wrong


def _address(given: Mapping[str, Any], field: str, wrong: dict[str, str]) -> str:
    """An https address without credentials; http only within the installation's own network."""
    url = str(given.get(field) or "").strip()
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.username and parts.port != 0
    except ValueError:
        good = False
    if not good or len(url) > _LONGEST_ADDRESS or any(one.isspace() for one in url):
        wrong[field] = "Enter an address such as https://texts.example.com/send."
    elif parts.scheme == "http" and not given.get("private"):
        wrong[field] = "Use https: over http anybody on the way reads the texts. In your own network, allow that below."
    return url


def _leads_elsewhere(kind: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether the secret kept would go to another host, where whoever changes the address could read it.

    Twilio's token goes out with each request; a webhook's secret only signs, and stays here.
    """
    return kind == TWILIO and _origin(before) != _origin(after)


def _origin(settings: Mapping[str, Any]) -> tuple[str, str]:
    """Where Twilio's API is asked: scheme and host with port."""
    parts = urlsplit(settings.get("api_url") or "https://api.twilio.com")
    return parts.scheme, parts.netloc.lower()


def _is_signing_secret(secret: str) -> bool:
    try:
        return secret.startswith("whsec_") and len(base64.b64decode(secret[6:], validate=True)) >= 24
    except ValueError:
        return False


def _changed(tx: Tx, actor: str, account_id: str) -> None:
    tx.append(Event(MESSAGING_CHANGED, STAFF, actor, data={"what": "account", "id": account_id}))
