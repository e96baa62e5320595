"""Trunks: the carriers and PBXs whose calls are let in, each by registration, by digest or by source address."""

import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from aircall_core import ids
from aircall_core.desk import audit
from aircall_core.desk.errors import DeskError, Invalid, not_found
from aircall_core.desk.secrets import SecretBox, SecretKeyError
from aircall_core.domain.events import STAFF, TRUNK_CHANGED, Event
from aircall_core.store import Store, Tx, provisioning

REGISTER, DIGEST, ADDRESS = "register", "digest", "address"
TEST_TRUNK: Final = "test-phone"  # the id of the built-in trunk, through which the test phone calls
_LOOPBACK: Final = ("127.0.0.0/8", "::1/128")
_TRANSPORTS: Final = ("udp", "tcp", "tls")
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?)(:[0-9]{1,5})?")
_USERNAME = re.compile(r"[^\s\"<>@;\\]{1,80}")
DIAL_FORMATS: Final = ("e164", "digits", "national")  # +33199001234, 33199001234, 0199001234
HOLD_BY: Final = ("bridge", "reinvite")  # music from us; or sendonly, so that the carrier knows
TRANSFER_BY: Final = ("bridge", "refer")  # through us; or the carrier connects the two, and we are out of it
_COLUMNS: Final = (
    "name", "kind", "enabled", "transport", "host", "username", "realm", "cidrs", "outbound_host", "dial_format",
    "hold_by", "transfer_by",
)  # fmt: skip
_CHOICES: Final = {"dial_format": DIAL_FORMATS, "hold_by": HOLD_BY, "transfer_by": TRANSFER_BY}
_FRESH: Final = {
    "name": "", "kind": "", "enabled": True, "transport": "udp", "host": "", "username": "", "realm": "",
    "outbound_host": "", "dial_format": "e164", "hold_by": "bridge", "transfer_by": "bridge",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class TrunkAccess:
    """A trunk as the worker needs it, its password readable. Never logged, never sent to a browser."""

    id: str
    kind: str
    transport: str
    host: str
    username: str
    password: str = field(repr=False)
    realm: str
    cidrs: tuple[str, ...]
    outbound_host: str = ""  # where calls out go, with or without a port; '' when it takes none
    dial_format: str = "e164"
    hold_by: str = "bridge"
    transfer_by: str = "bridge"
    readable: bool = True  # False: the password was encrypted with another key, and must be entered anew


def create(tx: Tx, actor: str, box: SecretBox, *, password: str = "", **wanted: Any) -> str:
    """A new trunk; its id. ``wanted``: name, kind, and what that kind needs."""
    values = _checked(tx, {**_FRESH, "cidrs": [], **wanted}, None, has_secret=bool(password))
    trunk_id = ids.new_id()
    secret = box.seal(password) if password and values["kind"] != ADDRESS else None
    state = "registering" if values["kind"] == REGISTER else None
    provisioning.add_trunk(tx.conn, id=trunk_id, created_at=tx.now_ms(), secret=secret, state=state, **values)
    _changed(tx, actor, trunk_id)
    changes = audit.differences(None, {name: value for name, value in values.items() if value})
    audit.note(tx, actor, "trunk.created", trunk_id, values["name"], changes)
    return trunk_id


def change(tx: Tx, actor: str, box: SecretBox, trunk_id: str, *, password: str = "", **wanted: Any) -> None:
    """Change what is given of a trunk. An empty password keeps the one it has."""
    if set(wanted) == {"enabled"} and not password:  # all that may be changed of the test phone's
        known = provisioning.trunk(tx.conn, trunk_id, lock=True)
        if known is None:
            raise not_found("The trunk")
        switched = {"enabled": bool(wanted["enabled"])}
        provisioning.change_trunk(tx.conn, trunk_id, **switched)
        _changed(tx, actor, trunk_id)
        audit.note(tx, actor, TRUNK_CHANGED, trunk_id, known["name"], audit.differences(known, switched))
        return
    trunk = _own(tx, trunk_id)
    kept = {key: trunk[key] for key in _COLUMNS}
    has_secret = bool(password) or trunk["secret"] is not None
    values = _checked(tx, {**kept, **wanted}, trunk_id, has_secret=has_secret)
    if values["kind"] == ADDRESS:
        values["secret"] = None
    elif password:
        values["secret"] = box.seal(password)
    provisioning.change_trunk(tx.conn, trunk_id, **values)
    _changed(tx, actor, trunk_id)
    changes = audit.differences(trunk, values, _COLUMNS)
    if password:
        changes["password"] = ("", password)  # the log says no more than that it changed
    audit.note(tx, actor, TRUNK_CHANGED, trunk_id, values["name"], changes)


def remove(tx: Tx, actor: str, trunk_id: str) -> None:
    """Remove a trunk: its next call is a stranger's. Calls that are up go on."""
    trunk = _own(tx, trunk_id)
    if callers := provisioning.lines_through(tx.conn, trunk_id):
        raise DeskError("in_use", f"{', '.join(callers)} calls out through this trunk. Choose another one first.")
    provisioning.remove_trunk(tx.conn, trunk_id)
    _changed(tx, actor, trunk_id)
    audit.note(tx, actor, "trunk.removed", trunk_id, trunk["name"])


def ensure_test_trunk(tx: Tx) -> None:
    """The test phone's trunk: this machine itself may call. Made once; an administrator may switch it off."""
    if provisioning.trunk(tx.conn, TEST_TRUNK) is not None:
        return
    provisioning.add_trunk(
        tx.conn,
        id=TEST_TRUNK,
        name="Test phone",
        kind=ADDRESS,
        cidrs=list(_LOOPBACK),
        built_in=True,
        created_at=tx.now_ms(),
    )
    _changed(tx, "system", TEST_TRUNK)


def accesses(store: Store, box: SecretBox, sip_host: str) -> list[TrunkAccess]:
    """The enabled trunks for the worker. One whose password cannot be read must not keep the others from working.

    ``sip_host`` is where that worker listens: the test phone calls it from that very address.
    """
    with store.read() as conn:
        rows = provisioning.all_trunks(conn)
    return [_access(_here(row, sip_host), box) for row in rows if row["enabled"]]


def _here(row: Mapping[str, Any], sip_host: str) -> Mapping[str, Any]:
    """The built-in trunk admits this machine as it is now: its address may have changed since the row was made."""
    return {**row, "cidrs": _own_addresses(sip_host)} if row["built_in"] else row


def _access(row: Mapping[str, Any], box: SecretBox) -> TrunkAccess:
    try:
        password, readable = box.open(row["secret"]) if row["secret"] else "", True
    except SecretKeyError:
        password, readable = "", False
    return TrunkAccess(
        id=row["id"],
        kind=row["kind"],
        transport=row["transport"],
        host=row["host"] or "",
        username=row["username"] or "",
        password=password,
        realm=row["realm"] or "",
        cidrs=tuple(row["cidrs"] or ()),
        outbound_host=row["outbound_host"] or row["host"] or "",
        dial_format=row["dial_format"],
        hold_by=row["hold_by"],
        transfer_by=row["transfer_by"],
        readable=readable,
    )


def _own(tx: Tx, trunk_id: str) -> dict[str, Any]:
    trunk = provisioning.trunk(tx.conn, trunk_id, lock=True)
    if trunk is None:
        raise not_found("The trunk")
    if trunk["built_in"]:
        raise DeskError("built_in", "The test phone's trunk can be switched off, not changed.")
    return trunk


def _checked(tx: Tx, wanted: Mapping[str, Any], trunk_id: str | None, *, has_secret: bool) -> dict[str, Any]:
    """The trunk's columns in the form they are kept. Invalid says what is wrong with each, all at once."""
    kind = wanted["kind"]
    name = " ".join(str(wanted["name"]).split())
    wrong = _name_problems(tx, name, trunk_id)
    if kind not in (REGISTER, DIGEST, ADDRESS):
        raise Invalid({**wrong, "kind": "Choose register, digest, or address."})
    if wanted["transport"] not in _TRANSPORTS:
        wrong["transport"] = f"Choose one of {', '.join(_TRANSPORTS)}."
    host, username, realm, outbound = (
        str(wanted[key] or "").strip() for key in ("host", "username", "realm", "outbound_host")
    )
    if kind == REGISTER and not _host_is_good(host):
        wrong["host"] = "Enter the registrar's name or address, such as sip.carrier.com or 192.0.2.10:5060."
    if outbound and not _host_is_good(outbound):
        wrong["outbound_host"] = "Enter a name or address, such as sip.carrier.com or 192.0.2.10:5060."
    wrong |= _choice_problems(wanted)
    if kind in (REGISTER, DIGEST) and not _USERNAME.fullmatch(username):
        wrong["username"] = "Enter the user name, without spaces, quotes or @."
    if kind in (REGISTER, DIGEST) and not has_secret:
        wrong["password"] = "Enter the password."  # noqa: S105  a sentence
    if kind == DIGEST:
        realm = realm or "aircall"
        wrong |= _digest_problems(tx, username, realm, trunk_id)
    cidrs, problem = _cidrs(wanted["cidrs"] or [])
    if problem:
        wrong["cidrs"] = problem
    elif kind == ADDRESS and not cidrs:
        wrong["cidrs"] = "Enter the addresses that calls come from, such as 192.0.2.0/24."
    if wrong:
        raise Invalid(wrong)
    return {
        "name": name,
        "kind": kind,
        "enabled": bool(wanted["enabled"]),
        "transport": wanted["transport"],
        "host": host if kind == REGISTER else None,
        "username": username if kind != ADDRESS else None,
        "realm": realm if kind == DIGEST else None,
        "cidrs": cidrs,
        "outbound_host": outbound or None,
        **{name: wanted[name] for name in _CHOICES},
    }


def _choice_problems(wanted: Mapping[str, Any]) -> dict[str, str]:
    wrong = {name: known for name, known in _CHOICES.items() if wanted[name] not in known}
    return {name: f"Choose one of {', '.join(known)}." for name, known in wrong.items()}


def _name_problems(tx: Tx, name: str, trunk_id: str | None) -> dict[str, str]:
    if not 1 <= len(name) <= 80:
        return {"name": "Enter a name of at most 80 characters, such as the carrier's."}
    other = provisioning.trunk_named(tx.conn, name)
    return {"name": "Another trunk has this name."} if other is not None and other["id"] != trunk_id else {}


def _digest_problems(tx: Tx, username: str, realm: str, trunk_id: str | None) -> dict[str, str]:
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,60}", realm):
        return {"realm": "Use letters, digits, dots and hyphens."}
    other = provisioning.digest_user(tx.conn, username, realm)
    if other is not None and other["id"] != trunk_id:
        return {"username": f"The trunk {other['name']} signs in with this name."}
    return {}


def _cidrs(texts: Sequence[str]) -> tuple[list[str], str | None]:
    """Networks in canonical form, and what is wrong with them."""
    found: list[str] = []
    for text in texts:
        try:
            network = ipaddress.ip_network(str(text).strip(), strict=False)
        except ValueError:
            return [], f"{str(text)[:60]} is not an address or network. Write 192.0.2.10 or 192.0.2.0/24."
        if network.prefixlen == 0:
            return [], "This lets everybody on the internet in. Name the carrier's networks."
        if str(network) not in found:
            found.append(str(network))
    return found, None


def _host_is_good(host: str) -> bool:
    match = _HOST.fullmatch(host)
    return match is not None and (not match[3] or 0 < int(match[3][1:]) < 65536)


def _own_addresses(sip_host: str) -> list[str]:
    found = list(_LOOPBACK)
    try:
        address = ipaddress.ip_address(sip_host)
    except ValueError:
        return found
    if not (address.is_loopback or address.is_unspecified):
        found.append(str(ipaddress.ip_network(address)))
    return found


def _changed(tx: Tx, actor: str, trunk_id: str) -> None:
    tx.append(Event(TRUNK_CHANGED, STAFF, actor, data={"id": trunk_id}))
