"""Who may call and which line they reach: lines and trunks as the worker knows them, and the matching. Pure.

A `Directory` is a snapshot; the store link makes a new one when a line or a trunk changes, so that an INVITE is
judged without asking anybody.
"""

import hmac
import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import phonenumbers

from aircall_core.sip.message import Address, Message, address, params, raw

CONTACT_TOKEN = "tk"  # noqa: S105 - the name of a URI parameter


_NO_NAME = {"anonymous", "restricted", "unavailable", "unknown", "private"}


@dataclass(frozen=True)
class Line:
    """A number of the company."""

    id: str
    number: str  # E.164, or whatever the PBX dials ("100", "support")
    country: str = ""  # ISO 3166 alpha 2: how to read numbers that are not international
    recording: str = "off"  # off | on | notice
    pause_on_hold: bool = False  # the recording
    pause_notice: bool = False  # a pause of the recording is spoken of
    texts: str = ""  # the account by which it takes texts by SIP; '' = it takes none


@dataclass(frozen=True)
class Trunk:
    """Where calls come from: by registration, by digest or by source address; a trunk may have several of them."""

    id: str
    cidrs: tuple[str, ...] = ()
    username: str = ""  # of the digest, ours when we register, theirs when they call
    password: str = field(default="", repr=False)
    registrar: str = ""  # host[:port]; '' = no registration
    transport: str = "udp"  # udp | tcp | tls
    proxy: str = ""
    challenge: bool = False  # callers must prove username and password (401)
    realm: str = ""
    resolved: tuple[str, ...] = ()  # addresses that the registrar's name has, looked up off the SIP thread
    outbound: str = ""  # host[:port] that calls out go to; '' = none do
    dial_format: str = "e164"  # e164 | digits | national
    hold_by: str = "bridge"  # bridge | reinvite
    transfer_by: str = "bridge"  # bridge | refer
    token: str = field(default="", repr=False)  # in the contact that we register: whoever knows it has it from there


@dataclass(frozen=True)
class Caller:
    """Who calls, as far as it may be known: number '' and anonymous=True when it was withheld (RFC 3323, 3325)."""

    number: str
    display: str
    anonymous: bool


class Directory:
    """Lines and trunks, indexed for an INVITE's few lookups."""

    def __init__(
        self,
        lines: Iterable[Line] = (),
        trunks: Iterable[Trunk] = (),
        country: str = "",
        *,
        unreadable: Iterable[str] = (),
        secrets: Mapping[tuple[str, str], str] | None = None,
    ) -> None:
        """`unreadable`: ids of trunks that are left out, since their passwords cannot be decrypted; `secrets`: bearer
        tokens of lookup steps by (line, step)."""
        self.unreadable = tuple(unreadable)
        self.secrets = dict(secrets or {})
        self.lines: Mapping[str, Line] = {line.id: line for line in lines}
        self.trunks: Mapping[str, Trunk] = {trunk.id: trunk for trunk in trunks}
        self.country = country
        self._dialled = _index(self.lines.values())
        self._networks = [
            (network, trunk) for trunk in self.trunks.values() for network in _networks(trunk.cidrs, trunk.resolved)
        ]

    def trunk_from(self, source: str) -> Trunk | None:
        """The trunk whose allow-list holds this source (`ip:port` or ip); the narrowest network wins."""
        ip = source_ip(source)
        hits = [(network.prefixlen, trunk) for network, trunk in self._networks if ip is not None and ip in network]
        return max(hits, key=lambda hit: hit[0])[1] if hits else None

    def trunk_called(self, invite: Message) -> Trunk | None:
        """The registered trunk whose contact this INVITE was sent to: carriers call from many addresses."""
        given = params(invite.request_uri.partition(";")[2]).get(CONTACT_TOKEN, "")
        trunks = (trunk for trunk in self.trunks.values() if trunk.token and given)
        return next((trunk for trunk in trunks if hmac.compare_digest(raw(trunk.token), raw(given))), None)

    def trunk_of_user(self, username: str, realm: str) -> Trunk | None:
        """The digest trunk of this user name."""
        for trunk in self.trunks.values():
            if trunk.challenge and (trunk.username, trunk.realm) == (username, realm):
                return trunk
        return None

    @property
    def realms(self) -> list[str]:
        """Realms of the trunks that prove themselves by digest; where there are any, a stranger gets 401, not 403."""
        return sorted({trunk.realm for trunk in self.trunks.values() if trunk.challenge})

    def line_for(self, invite: Message) -> tuple[Line, str] | None:
        """The line that was dialled and the text that said so.

        The request URI first; where it is our own contact (registered trunks, RFC 7315 4.2) the called party is in
        P-Called-Party-ID, or in To.
        """
        for text in (invite.request_uri, invite.get("p-called-party-id"), invite.get("to")):
            dialled = address(text if "<" in text else f"<{text}>").user if text else ""
            line = self._dialled.get(_plain(dialled))
            if line is not None:
                return line, dialled
        return None


def caller_of(invite: Message, country: str = "") -> Caller:
    """Caller by P-Asserted-Identity, else From; withheld when the caller or the network asked for it."""
    sender = address(invite.get("from"))
    asserted = [address(value) for value in invite.all("p-asserted-identity")]
    best = next((one for one in asserted if _is_number(one.user)), asserted[0] if asserted else sender)
    privacy = {word.strip().lower() for word in invite.get("privacy").replace(",", ";").split(";")}
    if privacy & {"id", "user", "header", "full"} or _withheld(sender):
        return Caller("", "", True)
    return Caller(international(best.user, country) or best.user, best.display or sender.display, False)


def international(text: str, country: str = "") -> str:
    """E.164 of a number as dialled or sent, '' when it is none. `country` reads national formats.

    Trunks also send E.164 without its plus, so a number that is none of `country` is tried as that.
    """
    plain = _plain(text)
    if not _is_number(plain):
        return ""
    if plain.startswith("00"):
        plain = "+" + plain[2:]
    tries: list[tuple[str, str | None]] = [(plain, country or None)]
    if not plain.startswith("+"):
        tries.append(("+" + plain, None))
    for number, region in tries:
        try:
            parsed = phonenumbers.parse(number, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(parsed) or (plain[0] == "+" and phonenumbers.is_possible_number(parsed)):
            return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return ""


def dialled(number: str, form: str, country: str) -> str:
    """An E.164 number as a trunk wants it: `e164` with its plus, `digits` without, `national` as people of the country
    dial it (those of others with its prefix: 00, 011 ...). What is no such number (112) stays as it is."""
    if not number.startswith("+") or form == "e164":
        return number
    if form == "digits":
        return number[1:]
    abroad = phonenumbers.PhoneMetadata.metadata_for_region(country) if country else None
    known = (abroad.preferred_international_prefix, abroad.international_prefix) if abroad else ()
    prefix = next((one for one in known if one and one.isdigit()), "00")
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return prefix + number[1:]
    if country and parsed.country_code == phonenumbers.country_code_for_region(country):
        return _plain(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL))
    return prefix + number[1:]


def source_ip(source: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Address of pjsip's `ip:port` / `[ip6]:port`."""
    text = source.rsplit(":", 1)[0] if source.count(":") == 1 or "]" in source else source
    try:
        ip = ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return None
    return ip.ipv4_mapped or ip if isinstance(ip, ipaddress.IPv6Address) else ip


def _networks(cidrs: Iterable[str], hosts: Iterable[str]) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    return [ipaddress.ip_network(text, strict=False) for text in (*cidrs, *hosts)]


def _index(lines: Iterable[Line]) -> dict[str, Line]:
    """Every form in which a line may be dialled. A national form that two lines share belongs to neither."""
    index: dict[str, Line] = {}
    national: dict[str, list[Line]] = {}
    for line in lines:
        index[_plain(line.number)] = line
        e164 = international(line.number, line.country)
        if not e164:
            continue
        index.update({e164: line, e164[1:]: line, "00" + e164[1:]: line})
        parsed = phonenumbers.parse(e164)
        local = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL)
        for form in {_plain(local), phonenumbers.national_significant_number(parsed)}:
            national.setdefault(form, []).append(line)
    for form, owners in national.items():
        if len(owners) == 1:
            index.setdefault(form, owners[0])
    return index


def _plain(text: str) -> str:
    """Without visual separators (RFC 3966 5.1.1); names compare in lower case."""
    return "".join(char for char in text.strip().lower() if char not in " -.()/")


def _is_number(text: str) -> bool:
    digits = _plain(text).lstrip("+")
    return digits.isascii() and digits.isdigit()


def _withheld(sender: Address) -> bool:
    user = sender.user.lower()
    return user in _NO_NAME or sender.host == "anonymous.invalid"
