"""The guard: what is never dialled, however it is written, and what is."""

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aircall_core import numbers
from aircall_core.domain import dialling
from aircall_core.domain.dialling import Why, verdict

EVERYWHERE = frozenset(phonenumbers.SUPPORTED_REGIONS)  # the country is not what refuses here
COSTLY = {Why.PREMIUM, Why.SHARED_COST, Why.PERSONAL, Why.SATELLITE, Why.GLOBAL_SERVICE, Why.SHORT_CODE}


def why(typed: str, country: str = "FR", *, allowed: frozenset[str] = EVERYWHERE, emergency: str = "refuse") -> object:
    """The verdict's reason as a word; the number when there is none."""
    found = verdict(numbers.read(typed, country), allowed=allowed, emergency=emergency)
    return found.why.value if found.why else found.number


# One premium number of each country: national form, international form without its plus.
PREMIUM = {
    "FR": ("0 899 12 34 56", "33 899 12 34 56"),
    "GB": ("0909 879 0000", "44 909 879 0000"),
    "DE": ("0900 1 234567", "49 900 1 234567"),
    "US": ("(900) 555-1234", "1 900 555 1234"),
    "ES": ("803 123 456", "34 803 123 456"),
    "IT": ("899 123 456", "39 899 123 456"),
    "BE": ("0900 12 345", "32 900 12 345"),
    "NL": ("0909 1234567", "31 909 1234567"),
    "CH": ("0900 123 456", "41 900 123 456"),
    "AT": ("0930 123 456", "43 930 123 456"),
    "AU": ("1900 123 456", "61 1900 123 456"),
    "IE": ("1550 123 456", "353 1550 123 456"),
    "PL": ("70 123 45 67", "48 70 123 45 67"),
    "SE": ("0900 123 456", "46 900 123 456"),
    "JP": ("0990 123456", "81 990 123456"),
}
DIAL_OUT = {"US": "011", "AU": "0011", "JP": "010"}  # what is dialled there for other countries; 00 elsewhere


def bare(text: str) -> str:
    return "".join(filter(str.isdigit, text))


WRITINGS = {
    "national": lambda home, abroad, out: home,
    "national, nothing between": lambda home, abroad, out: bare(home),
    "national, dots": lambda home, abroad, out: home.replace(" ", "."),
    "plus": lambda home, abroad, out: f"+{abroad}",
    "plus, nothing between": lambda home, abroad, out: f"+{bare(abroad)}",
    "dialled abroad": lambda home, abroad, out: f"{out} {abroad}",
    "dialled abroad, nothing between": lambda home, abroad, out: f"{out}{bare(abroad)}",
    "dashes and brackets": lambda home, abroad, out: f"+({bare(abroad)[:2]})-{bare(abroad)[2:5]}/{bare(abroad)[5:]}",
    "typographic dashes": lambda home, abroad, out: f"+{abroad}".replace(" ", "\u2011"),
    "no-break spaces": lambda home, abroad, out: f"+{abroad}".replace(" ", "\u00a0"),
    "full width": lambda home, abroad, out: "".join(chr(ord(c) + 0xFEE0) for c in f"+{bare(abroad)}"),
    "arabic digits": lambda home, abroad, out: "+" + "".join(chr(0x660 + int(c)) for c in bare(abroad)),
    "copied, with marks of direction": lambda home, abroad, out: f"\u202a\u200e+{abroad}\u202c\ufeff",
    "tel:": lambda home, abroad, out: f"tel:+{bare(abroad)}",
    "TEL: with dashes": lambda home, abroad, out: f"TEL:+{abroad.replace(' ', '-')}",
    "tel: percent-encoded": lambda home, abroad, out: f"tel:%2B{bare(abroad)}",
    "tel: with parameters": lambda home, abroad, out: f"tel:+{bare(abroad)};ext=12;isub=1",
    "callto:": lambda home, abroad, out: f"callto:+{bare(abroad)}",
    "a pause p": lambda home, abroad, out: f"+{bare(abroad)}p12",
    "a wait w": lambda home, abroad, out: f"+{bare(abroad)}w12",
    "a comma": lambda home, abroad, out: f"+{bare(abroad)},,1234#"[:-1],
    "a semicolon": lambda home, abroad, out: f"+{bare(abroad)};12",
    "an extension": lambda home, abroad, out: f"+{abroad} ext. 12",
    "an x": lambda home, abroad, out: f"+{abroad} x12",
    "white space around": lambda home, abroad, out: f"\t +{abroad} \r\n",
}  # fmt: skip


@pytest.mark.parametrize("country", PREMIUM)
@pytest.mark.parametrize("writing", WRITINGS)
def test_a_premium_number_is_refused_however_it_is_written(country: str, writing: str) -> None:
    home, abroad = PREMIUM[country]
    typed = WRITINGS[writing](home, abroad, DIAL_OUT.get(country, "00"))  # type: ignore[no-untyped-call]
    assert why(typed, country) == "premium", typed


@pytest.mark.parametrize(
    ("typed", "country"),
    [
        ("+33 (0) 8 99 12 34 56", "FR"), ("+33 08 99 12 34 56", "FR"), ("00 33 (0)899 123 456", "FR"),
        ("33 899 12 34 56", "FR"), ("0033 0899123456", "FR"), ("tel:0899123456;phone-context=+33", "US"),
        ("tel:899-123-456;phone-context=+33", "US"), ("011 33 899 12 34 56", "US"), ("+33 899 12 34 56", "DE"),
        ("1 900 555 1234", "US"), ("+1 (900) 555-1234", "FR"), ("8~10 33 899 12 34 56", "RU"),
    ],
)  # fmt: skip
def test_trunk_prefixes_and_other_countries_change_nothing(typed: str, country: str) -> None:
    assert why(typed, country) == "premium"


@pytest.mark.parametrize(
    ("typed", "country", "code"),
    [
        # What the library of numbering plans calls ordinary, or "universal access".
        ("+1 212 976 1234", "US", "premium"), ("+1 416 976 1234", "CA", "premium"), ("707 123 456", "PT", "premium"),
        ("0570 123456", "JP", "premium"), ("086 112 3456", "ZA", "premium"),
        ("0836 12 34 56", "FR", "premium"), ("0810 12 34 56", "FR", "shared_cost"), ("0843 123 4567", "GB", "premium"),
        ("0870 123 4567", "GB", "premium"), ("070 1234 5678", "GB", "personal"), ("0137 1234567", "DE", "shared_cost"),
        ("0180 1234567", "DE", "shared_cost"), ("0190 1234567", "DE", "premium"), ("0700 1234567", "DE", "premium"),
        ("012 12345678", "DE", "premium"), ("905 123 456", "ES", "premium"), ("902 123 456", "ES", "shared_cost"),
        ("199 123 456", "IT", "personal"), ("895 123 456", "IT", "premium"), ("070 12 34 56", "BE", "premium"),
        ("0878 123 456", "CH", "personal"), ("500 555 1234", "US", "personal"), ("1300 123 456", "AU", "shared_cost"),
        ("+979 123 456 789", "FR", "premium"), ("+808 1234 5678", "FR", "global_service"),
        ("+800 1234 5678", "FR", "global_service"), ("+878 10 1234567890", "FR", "global_service"),
        ("+881 6 1234 5678", "FR", "satellite"), ("+882 16 12345678", "FR", "satellite"),
        ("+883 5100 012345", "FR", "satellite"), ("+870 773 123 456", "FR", "satellite"),
        ("118 712", "FR", "short_code"), ("3615", "FR", "short_code"), ("11833", "DE", "short_code"),
        ("118 118", "GB", "short_code"), ("*31#0199001234", "FR", "service_code"),
        ("**21*0899123456#", "FR", "service_code"),
        ("#31#0199001234", "DE", "service_code"), ("*67 212 555 1212", "US", "service_code"),
        ("1010288 900 555 1234", "US", "no_such_number"), ("0 0899 12 34 56", "FR", "not_a_number"),
        ("sip:+33199001234@evil.example", "FR", "not_a_number"), ("+33199001234@evil", "FR", "not_a_number"),
        ("tel:1234;phone-context=example.com", "FR", "not_a_number"), ("+33+33899123456", "FR", "not_a_number"),
        ("1-900-FLOWERS", "US", "not_a_number"), ("", "FR", "not_a_number"), ("+", "FR", "incomplete"),
        ("+999 123 456", "FR", "not_a_number"), ("9" * 81, "FR", "not_a_number"), ("01 99 00", "FR", "incomplete"),
        ("+33 1 99 00 12 34 56 78 90", "FR", "no_such_number"),
    ],
)  # fmt: skip
def test_other_numbers_that_are_not_dialled(typed: str, country: str, code: str) -> None:
    assert why(typed, country) == code


@pytest.mark.parametrize(
    ("typed", "country", "number"),
    [
        ("01 99 00 12 34", "FR", "+33199001234"), ("0033 1 99 00 12 34", "FR", "+33199001234"),
        ("+33 (0)1 99 00 12 34", "FR", "+33199001234"), ("tel:+33-1-99-00-12-34", "FR", "+33199001234"),
        ("０１ ９９ ００ １２ ３４", "FR", "+33199001234"), ("0800 123 456", "FR", "+33800123456"),
        ("09 77 12 34 56", "FR", "+33977123456"), ("0806 123 456", "FR", "+33806123456"),
        ("(212) 555-0123", "US", "+12125550123"), ("011 44 20 7946 0018", "US", "+442079460018"),
        ("02 1234 5678", "IT", "+390212345678"), ("030 901820", "DE", "+4930901820"),
        ("0300 123 4567", "GB", "+443001234567"), ("+33 1 99 00 12 34 ext. 5", "FR", "+33199001234"),
    ],
)  # fmt: skip
def test_ordinary_numbers_are_dialled_as_one_number(typed: str, country: str, number: str) -> None:
    assert why(typed, country) == number


def test_an_extension_is_kept_apart() -> None:
    for typed in (
        "01 99 00 12 34 ext. 56",
        "+33199001234;ext=56",
        "+33199001234,,56",
        "0199001234 x56",
        "0199001234 poste 56",
    ):
        found = verdict(numbers.read(typed, "FR"), allowed=EVERYWHERE)
        assert (found.number, found.extension) == ("+33199001234", "56"), typed


def test_countries_are_those_that_are_allowed() -> None:
    allowed = frozenset({"FR", "US"})
    assert why("+34 912 345 678", allowed=allowed) == "country"
    assert why("+1 212 555 0123", allowed=allowed) == "+12125550123"
    # The same calling code is not the same country: the Dominican Republic, Jersey, Kazakhstan.
    assert why("+1 809 555 1234", allowed=allowed) == "country"
    assert why("+44 1534 456789", allowed=frozenset({"GB"})) == "country"
    assert why("+7 701 234 5678", allowed=frozenset({"RU"})) == "country"


@pytest.mark.parametrize(
    ("typed", "country", "refused", "dialled"),
    [
        ("112", "FR", "emergency", "112"), ("1 1 2", "FR", "emergency", "112"), ("１１２", "FR", "emergency", "112"),
        ("15", "FR", "emergency", "15"), ("110", "DE", "emergency", "110"), ("999", "GB", "emergency", "999"),
        ("911", "US", "emergency", "911"), ("9911", "US", "emergency", "911"), ("tel:911", "US", "emergency", "911"),
        ("911", "FR", "emergency_elsewhere", "emergency_elsewhere"),
        ("000", "DE", "emergency_elsewhere", "emergency_elsewhere"),
    ],
)  # fmt: skip
def test_emergency_numbers(typed: str, country: str, refused: str, dialled: str) -> None:
    nowhere: frozenset[str] = frozenset()
    assert why(typed, country, allowed=nowhere) == refused
    assert why(typed, country, allowed=nowhere, emergency="dial") == dialled


def test_who_dials_an_emergency_number_of_elsewhere_is_told_the_one_here() -> None:
    found = verdict(numbers.read("911", "FR"), allowed=EVERYWHERE)
    assert (found.why, found.params["number"]) == (Why.EMERGENCY_ELSEWHERE, "112")


# ---- whatever the numbering plans call costly, in every country


def examples(*kinds: int) -> list[tuple[str, phonenumbers.PhoneNumber]]:
    """An example of each of these kinds of numbers of every country that has one."""
    found = [(region, phonenumbers.example_number_for_type(region, kind)) for region in EVERYWHERE for kind in kinds]
    return [(region, number) for region, number in found if number is not None]


K = phonenumbers.PhoneNumberType
BAD = examples(K.PREMIUM_RATE, K.SHARED_COST, K.PERSONAL_NUMBER, K.PAGER)
GOOD = examples(K.FIXED_LINE, K.MOBILE)
SEPARATORS = st.text(alphabet=" .-/()\u00a0\u2011", max_size=2)


def written(number: phonenumbers.PhoneNumber, region: str, way: int, between: list[str]) -> str:
    """A number in one of the ways of writing it, with such things between its digits."""
    style = [phonenumbers.PhoneNumberFormat.NATIONAL, phonenumbers.PhoneNumberFormat.E164,
             phonenumbers.PhoneNumberFormat.INTERNATIONAL, phonenumbers.PhoneNumberFormat.RFC3966][way]  # fmt: skip
    text = phonenumbers.format_number(number, style)
    if way == 3:
        return text
    return "".join(letter + between[i % len(between)] for i, letter in enumerate(text))


@given(st.sampled_from(BAD), st.integers(0, 3), st.lists(SEPARATORS, min_size=1, max_size=3))
def test_no_costly_number_of_any_country_is_dialled(
    one: tuple[str, phonenumbers.PhoneNumber], way: int, between: list[str]
) -> None:
    region, number = one
    code = why(written(number, region, way, between), region)
    assert code in set(Why), code  # a refusal, not a number


@given(st.sampled_from(GOOD), st.integers(0, 3))
def test_ordinary_numbers_of_every_country_can_be_dialled(one: tuple[str, phonenumbers.PhoneNumber], way: int) -> None:
    region, number = one
    wanted = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    assert why(written(number, region, way, [""]), region) == wanted


@given(st.text(max_size=90), st.sampled_from(["FR", "US", "DE", "GB", "IT", "RU", ""]))
def test_whatever_is_typed_ends_in_a_verdict_whose_number_can_stand_in_an_address(typed: str, country: str) -> None:
    found = verdict(numbers.read(typed, country), allowed=EVERYWHERE, emergency="dial")
    if found.why is None:
        digits = found.number.removeprefix("+")
        assert digits.isascii()
        assert digits.isdigit()
        assert found.emergency or found.number.startswith("+")
        # What is dialled is judged as what was typed: there is no second reading.
        again = verdict(numbers.read(found.number, country), allowed=EVERYWHERE, emergency="dial")
        assert (again.number, again.why) == (found.number, None)


@given(st.text(alphabet="0123456789+*#pwx,;()-. ext", max_size=24))
def test_no_premium_prefix_slips_through_in_the_line_s_own_country(typed: str) -> None:
    found = verdict(numbers.read(typed, "FR"), allowed=frozenset({"FR"}))
    if found.why is None:
        assert not found.number.startswith(("+3389", "+3381", "+3382", "+33836"))


def test_reasons_that_stand_while_somebody_types_are_soft() -> None:
    number = "0199001234"
    seen = {why(number[:length]) for length in range(1, len(number))}
    assert seen <= {one.value for one in dialling.UNFINISHED}
