"""Sources of insight cards as administrators set them up: checked, their secrets encrypted."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from aircall_core import ids
from aircall_core.desk import audit
from aircall_core.desk.errors import Invalid, or_not_found
from aircall_core.desk.insight_words import template_problem
from aircall_core.desk.message_accounts import new_signing_secret
from aircall_core.desk.secrets import SecretBox
from aircall_core.domain.events import ADMINS, INSIGHTS_CHANGED, Event
from aircall_core.domain.insight_kinds import (
    AUTHS,
    CACHE_MIN,
    DEFAULT_CACHE_MIN,
    HTTP,
    KINDS,
    METHODS,
    POSTED,
    RULES,
    UNASKED,
    SourceKind,
)
from aircall_core.store import Tx
from aircall_core.store import insights as rows

MOST_SOURCES: Final = 20
_LONGEST_TEXT: Final = 200
_LONGEST_SECRET: Final = 4000
_LONGEST_ADDRESS: Final = 1000
_LINE: Final = ("type", "text", "label", "link", "email")


def made_secret(kind: str) -> str:
    """The secret that a program signs its cards with: ours to make, to be shown once. '' for every other kind."""
    return new_signing_secret() if kind == POSTED else ""


def create(tx: Tx, actor: str, box: SecretBox, *, secret: str = "", **wanted: Any) -> str:
    """A new source; its id. ``wanted``: name, kind, enabled, settings."""
    if len(rows.sources(tx.conn)) >= MOST_SOURCES:
        raise Invalid({"name": f"There are {MOST_SOURCES} sources already."})
    fresh = {"name": "", "kind": "", "enabled": True, "settings": {}}
    values = _checked(tx, {**fresh, **wanted}, None, secret, kept=False)
    source_id = ids.new_id()
    sealed = box.seal(secret) if secret and values["kind"] != RULES else None
    rows.add_source(tx.conn, id=source_id, created_at=tx.now_ms(), secret=sealed, **values)
    _changed(tx, actor, source_id)
    audit.note(tx, actor, "insights.created", source_id, values["name"], {"kind": ("", values["kind"])})
    return source_id


def change(tx: Tx, actor: str, box: SecretBox, source_id: str, *, secret: str = "", **wanted: Any) -> None:
    """Change what is given of a source, but not its kind. An empty secret keeps the one it has, at the same address."""
    known = or_not_found(rows.source(tx.conn, source_id, lock=True), "The source")
    before = {name: known[name] for name in ("name", "kind", "enabled", "settings")}
    asked = {name: value for name, value in wanted.items() if name != "kind"}
    values = _checked(tx, {**before, **asked}, source_id, secret, kept=known["secret"] is not None)
    # Whoever could lead the secret elsewhere could read it there.
    if known["secret"] and not secret and _host(values["settings"]) != _host(known["settings"]):
        raise Invalid({"secret": "Enter the secret again, since the address is another one."})
    sealed = box.seal(secret) if secret and values["kind"] != RULES else known["secret"]
    rows.change_source(tx.conn, source_id, secret=sealed, error=None, error_at=None, **values)
    _changed(tx, actor, source_id)
    changes = audit.differences(known, values, ("name", "enabled"))
    told = ("address", *KINDS[values["kind"]].fields, "cache_min", "private")
    changes |= audit.differences(known["settings"], values["settings"], told)
    if values["settings"].get("lines") != known["settings"].get("lines"):
        changes["lines"] = (len(known["settings"].get("lines") or ()), len(values["settings"].get("lines") or ()))
    if secret:
        changes["secret"] = ("", secret)  # the log says no more than that it changed
    audit.note(tx, actor, INSIGHTS_CHANGED, source_id, values["name"], changes)


def remove(tx: Tx, actor: str, source_id: str) -> None:
    """Remove a source and its cards."""
    known = or_not_found(rows.source(tx.conn, source_id, lock=True), "The source")
    rows.remove_source(tx.conn, source_id)
    _changed(tx, actor, source_id)
    audit.note(tx, actor, "insights.removed", source_id, known["name"])


def _checked(tx: Tx, wanted: Mapping[str, Any], source_id: str | None, secret: str, *, kept: bool) -> dict[str, Any]:
    """The source's columns in the form they are kept. Invalid says what is wrong, all at once."""
    name = " ".join(str(wanted["name"]).split())
    wrong: dict[str, str] = {}
    if not 1 <= len(name) <= 40:
        wrong["name"] = "Enter a name of at most 40 characters: agents see it on the card."
    other = rows.named(tx.conn, name)
    if other is not None and other["id"] != source_id:
        wrong["name"] = "Another source has this name."
    kind = KINDS.get(str(wanted["kind"]))
    if kind is None:
        raise Invalid({**wrong, "kind": f"Choose one of {', '.join(KINDS)}."})
    settings, problems = _settings(kind, wanted["settings"] if isinstance(wanted["settings"], Mapping) else {})
    wrong |= problems
    needs = kind.secret or (kind.name == HTTP and settings["auth"] != "none")
    if kind.name == POSTED and kept and secret:
        wrong["secret"] = "It stays as it was made. Add another source to have another one."  # noqa: S105  a sentence
    elif needs and not (secret or kept):
        wrong["secret"] = "Enter the token or password."  # noqa: S105  a sentence
    elif len(secret) > _LONGEST_SECRET or not secret.isprintable() or secret != secret.strip() or not secret.isascii():
        wrong["secret"] = "This is no token: it has blanks around it, or signs that no token has."  # noqa: S105
    if wrong:
        raise Invalid(wrong)
    return {"name": name, "kind": kind.name, "enabled": bool(wanted["enabled"]), "settings": settings}


def _settings(kind: SourceKind, given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    wrong: dict[str, str] = {}
    settings: dict[str, Any] = {name: str(given.get(name) or "").strip() for name in kind.fields}
    for name, text in settings.items():
        if len(text) > _LONGEST_TEXT or not text.isprintable():
            wrong[name] = f"At most {_LONGEST_TEXT} characters, without line breaks."
        elif name in kind.needs and not text:
            wrong[name] = "Fill this in."
    if kind.name not in UNASKED:
        settings["address"] = str(given.get("address") or "").strip() or ("" if kind.name == HTTP else kind.address)
        settings["private"] = bool(given.get("private"))
        if problem := _address_problem(settings["address"], kind, private=settings["private"]):
            wrong["address"] = problem
        settings["cache_min"], problem = _minutes(given.get("cache_min", DEFAULT_CACHE_MIN))
        if problem:
            wrong["cache_min"] = problem
    if kind.name == HTTP:
        wrong |= _http_problems(settings)
    if kind.name == POSTED:
        return {}, {}
    settings["lines"] = [_line(one) for one in given.get("lines") or [] if isinstance(one, Mapping)]
    if problem := template_problem(settings["lines"]):
        wrong["lines"] = problem
    elif kind.name == RULES and not settings["lines"]:
        wrong["lines"] = "Enter at least one line."
    return settings, wrong


def _http_problems(settings: dict[str, Any]) -> dict[str, str]:
    wrong: dict[str, str] = {}
    settings["method"] = settings["method"] or "GET"
    settings["auth"] = settings["auth"] or "none"
    if settings["method"] not in METHODS:
        wrong["method"] = f"Choose one of {', '.join(METHODS)}."
    if settings["auth"] not in AUTHS:
        wrong["auth"] = f"Choose one of {', '.join(AUTHS)}."
    name = settings["name"]
    if settings["auth"] == "header" and not (name.isascii() and name.replace("-", "").isalnum()):
        wrong["name"] = "Enter the header's name, such as X-API-Key."
    if settings["auth"] == "basic" and not (name and ":" not in name):
        wrong["name"] = "Enter the user name, without a colon."
    return wrong


def _address_problem(address: str, kind: SourceKind, *, private: bool) -> str | None:
    try:
        parts = urlsplit(address)
        good = bool(parts.hostname) and parts.username is None and parts.port != 0
    except ValueError:
        good = False
        parts = urlsplit("")
    if not good or not address.isprintable() or " " in address or len(address) > _LONGEST_ADDRESS:
        return f"Enter a web address, such as {kind.address}."
    if parts.scheme != "https" and not (private and parts.scheme == "http"):
        return "The address begins with https://. Plain http:// is for your own network alone: see the switch below."
    if "{{" in parts.netloc or (kind.name != HTTP and (parts.query or parts.fragment)):
        return f"Enter an address such as {kind.address}."
    return None


def _minutes(given: object) -> tuple[int, str | None]:
    least, most = CACHE_MIN
    if isinstance(given, int) and least <= given <= most:
        return given, None
    return DEFAULT_CACHE_MIN, f"Enter {least} to {most} minutes."


def _line(one: Mapping[str, Any]) -> dict[str, Any]:
    line: dict[str, Any] = {name: str(one.get(name) or "").strip() for name in _LINE}
    when = one.get("when")
    if isinstance(when, Mapping) and str(when.get("field") or "").strip():
        line["when"] = {name: str(when.get(name) or "").strip() for name in ("field", "is", "value")}
    return line


def _host(settings: Mapping[str, Any]) -> tuple[str, str]:
    parts = urlsplit(str(settings.get("address") or ""))
    return parts.scheme, parts.netloc.lower()


def _changed(tx: Tx, actor: str, source_id: str) -> None:
    tx.append(Event(INSIGHTS_CHANGED, ADMINS, actor, data={"id": source_id}))
