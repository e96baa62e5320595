"""Whether a number may be dialled: the guard against toll fraud, and against calls that cost more than anybody means.

What was typed is first made plain (`plain`), then read as one number of one country (numbers.read), and the verdict is
on that reading. What goes to the trunk is made anew from it and never taken from what was typed: a way of writing that
deceives the reading cannot reach the trunk either. Whatever is not a number that is known to be an ordinary one is
refused.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from urllib.parse import unquote

LONGEST: Final = 80  # characters as typed
DAY_S: Final = 86_400  # the caps count the last 24 hours


class Why(StrEnum):
    """Why a number is not dialled: the codes of the refusals. Their words are in desk/dialling.py."""

    NOT_A_NUMBER = "not_a_number"  # letters, nothing, or too much of it
    SERVICE_CODE = "service_code"  # * and #: diversions and hidden caller ids are the trunk's settings
    INCOMPLETE = "incomplete"  # too short so far
    NO_SUCH_NUMBER = "no_such_number"  # no number of its country looks like this
    SHORT_CODE = "short_code"  # 118 712, 3615: enquiries and services, at whatever price
    EMERGENCY = "emergency"  # and the line refuses them
    EMERGENCY_ELSEWHERE = "emergency_elsewhere"  # an emergency number, but of other countries
    PREMIUM = "premium"
    SHARED_COST = "shared_cost"
    PERSONAL = "personal"  # follow-me numbers and pagers: routed anywhere, and priced so
    SATELLITE = "satellite"
    GLOBAL_SERVICE = "global_service"  # +800, +808, +878, +979 ...: numbers of no country
    COUNTRY = "country"  # not among those that the company allows
    OWN_NUMBER = "own_number"
    DO_NOT_CALL = "do_not_call"
    NO_TRUNK = "no_trunk"
    LINE_OFF = "line_off"
    USER_CAP = "user_cap"
    LINE_CAP = "line_cap"


# A phone shows these softly while somebody types: they may still become a number.
UNFINISHED: Final = frozenset({Why.INCOMPLETE, Why.SHORT_CODE, Why.NO_SUCH_NUMBER})


@dataclass(frozen=True, slots=True)
class Plain:
    """What was typed, made plain: ``text`` is + and digits; ``extension`` is what would follow after the answer."""

    text: str = ""
    extension: str = ""
    why: Why | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What was typed, read as a number by the numbering plans (numbers.read).

    ``country`` is ISO 3166 alpha-2, '001' for numbers of no country, '' when unknown; ``kind`` is the plan's word for
    its sort (fixed_line, mobile, premium_rate ...), ``national`` its digits behind the country's ``calling_code``.
    """

    plain: Plain
    number: str = ""  # E.164
    calling_code: int = 0
    national: str = ""
    country: str = ""
    kind: str = "unknown"
    valid: bool = False
    too_short: bool = False
    short_code: bool = False  # one of the country's short numbers
    emergency: str = ""  # the country's emergency number that this is
    emergency_here: str = ""  # of other countries: the one to call here instead


@dataclass(frozen=True, slots=True)
class Verdict:
    """``number`` is what to dial: E.164, or an emergency number as the country has it (without +). ``why`` refuses."""

    number: str
    country: str = ""
    emergency: bool = False
    extension: str = ""
    why: Why | None = None
    params: Mapping[str, str] = field(default_factory=dict)  # for the words of the refusal


ORDINARY: Final = frozenset({"fixed_line", "mobile", "fixed_line_or_mobile", "toll_free", "voip", "uan"})
_COSTLY: Final = {
    "premium_rate": Why.PREMIUM,
    "shared_cost": Why.SHARED_COST,
    "personal_number": Why.PERSONAL,
    "pager": Why.PERSONAL,
}
# National numbers, by calling code, that cost more than a call, whatever the library of numbering plans says of them:
# it counts some as ordinary or as "universal access", and what it knows may change with its next version.
_PREFIXES: Final[Mapping[int, re.Pattern[str]]] = {
    code: re.compile(pattern)
    for code, pattern in {
        1: r"900|976|[2-9]\d\d976|700|710",  # the 976 exchange exists in many area codes
        27: r"86",
        31: r"90[069]",
        32: r"90|70",
        33: r"8[129]|836",
        34: r"80[367]|90[1257]|79[579]",
        351: r"6|7[067]|80[89]|884",
        353: r"15",
        358: r"[67]00|100",
        39: r"89|1[46]|199|178|84",
        41: r"90|84|878",
        43: r"9[03]|8[12]",
        44: r"9|8[47]|70",
        46: r"900|939|944|99",
        47: r"82",
        48: r"[34]00|70",
        49: r"[79]00|19[0-4]|13[78]|180|12",
        55: r"[359]00",
        61: r"19",
        81: r"990|570",
        972: r"19|1599",
    }.items()
}
_NO_COUNTRY: Final = {870: Why.SATELLITE, 881: Why.SATELLITE, 882: Why.SATELLITE, 883: Why.SATELLITE, 979: Why.PREMIUM}

_URI = re.compile(r"(?:tel|callto):(?://)?", re.IGNORECASE)
# What is sent after the answer: ", 12", "p12", "w12", "x 12", "ext. 12", "poste 12"
_AFTER = re.compile(r"\s*(?:,|p(?:oste)?|w|x|ext(?:ension|ensión|n)?)[\s.:]*(?P<more>[\d,pw\s.:]*)$", re.IGNORECASE)
_WRITTEN = re.compile(r"[\d\s()\[\]./~-]*")


def plain(typed: str) -> Plain:
    """What was typed as + and digits: any script's digits, separators, brackets, ``tel:`` URIs (RFC 3966), pauses."""
    if len(typed) > LONGEST:
        return Plain(why=Why.NOT_A_NUMBER)
    # Full-width and other scripts' digits become ours; what cannot be seen (marks of a copied page) goes.
    text = "".join(_shown(letter) for letter in unicodedata.normalize("NFKC", typed)).strip()
    context, extension = "", ""
    if uri := _URI.match(text):
        text = unquote(text[uri.end() :])
    text, *params = text.split(";")
    for param in params:
        name, _, value = param.strip().partition("=")
        if name.lower() == "phone-context":
            context = value
        else:
            extension = "".join(filter(str.isdigit, value or name))
    if after := _AFTER.search(text):
        extension = "".join(filter(str.isdigit, after["more"])) or extension
        text = text[: after.start()]
    if "*" in text or "#" in text:
        return Plain(why=Why.SERVICE_CODE)
    head = text.lstrip(" ([")
    international = head.startswith("+")
    digits = head[1:] if international else head
    if not _WRITTEN.fullmatch(digits):
        return Plain(why=Why.NOT_A_NUMBER)
    digits = "".join(filter(str.isdigit, digits))
    if context and not international:
        if not re.fullmatch(r"\+[\d.()-]+", context):
            return Plain(why=Why.NOT_A_NUMBER)  # a number of somebody's own domain
        digits, international = "".join(filter(str.isdigit, context)) + digits, True
    if not digits:
        return Plain(why=Why.INCOMPLETE if international else Why.NOT_A_NUMBER)
    return Plain(f"+{digits}" if international else digits, extension[:20])


def verdict(read: Reading, *, allowed: frozenset[str], emergency: str = "refuse") -> Verdict:
    """Whether this may be dialled. ``allowed`` countries (ISO 3166); ``emergency`` is the line's: refuse or dial."""
    extension = read.plain.extension
    if read.emergency:
        why = None if emergency == "dial" else Why.EMERGENCY
        return Verdict(read.emergency, read.country, emergency=True, why=why, params={"number": read.emergency})
    why = read.plain.why or _why(read)
    params = {"country": read.country, "number": read.emergency_here} if why else {}
    if why is None and read.country not in allowed:
        why, params = Why.COUNTRY, {"country": read.country}
    return Verdict(read.number if read.valid else "", read.country, extension=extension, why=why, params=params)


def _why(read: Reading) -> Why | None:
    if read.emergency_here:
        return Why.EMERGENCY_ELSEWHERE
    if read.short_code:
        return Why.SHORT_CODE
    if read.country == "001" or read.calling_code in _NO_COUNTRY:
        return _NO_COUNTRY.get(read.calling_code, Why.GLOBAL_SERVICE)
    costly = _PREFIXES.get(read.calling_code)
    if read.kind in _COSTLY:
        return _COSTLY[read.kind]
    if costly is not None and costly.match(read.national):
        return Why.PREMIUM
    if not read.valid:
        return Why.INCOMPLETE if read.too_short else Why.NO_SUCH_NUMBER
    return None if read.kind in ORDINARY else Why.NO_SUCH_NUMBER


def _shown(letter: str) -> str:
    category = unicodedata.category(letter)
    if category == "Nd":
        return str(unicodedata.digit(letter))
    if category == "Pd" or letter == "\u2212":  # dashes, and the minus sign
        return "-"
    if category.startswith("Z") or letter in "\t\r\n":
        return " "
    return "" if category in ("Cf", "Cc") else letter
