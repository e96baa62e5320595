"""Telephone numbers: one spelling for comparing (E.164), another for reading (national), whatever a trunk sends."""

import re
from dataclasses import replace
from typing import Final

import phonenumbers
from babel import Locale
from phonenumbers import NumberParseException, ValidationResult

from aircall_core.domain.dialling import Reading, Why
from aircall_core.domain.dialling import plain as plain_form

ANONYMOUS = "anonymous"
ERASED = "erased"  # in place of a number that was erased; of a conversation's, with its id behind it
_DIALLED = re.compile(r"[^0-9+*#]")


def normalise(text: str, country: str) -> str:
    """The number in E.164 if it is one (read as one of ``country``, ISO 3166 alpha-2), else its dialled characters.

    Short internal numbers (extensions, ``100``) stay as they are. Empty when nothing in it can be dialled.
    """
    try:
        parsed = phonenumbers.parse(text, country or None)
    except NumberParseException:
        return _DIALLED.sub("", text)[:32]
    if phonenumbers.is_possible_number(parsed):
        return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return _DIALLED.sub("", text)[:32]


def international_prefix(digits: str, country: str) -> str:
    """The first digits of a national number ("0199" in France) as E.164 has them ("+33199"); '' when unknown."""
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(country, None) if country else None
    if metadata is None or not digits.isdigit():
        return ""
    national = digits.removeprefix(metadata.national_prefix or "")
    return f"+{metadata.country_code}{national}"


def spoken_form(number: str, country: str) -> str:
    """The number as people of ``country`` write it; numbers of other countries in international form."""
    if number.startswith(ERASED):
        return ERASED.capitalize()
    try:
        parsed = phonenumbers.parse(number, country or None)
    except NumberParseException:
        return number
    if not phonenumbers.is_possible_number(parsed):
        return number
    home = phonenumbers.country_code_for_region(country) if country else 0
    style = (
        phonenumbers.PhoneNumberFormat.NATIONAL
        if parsed.country_code == home
        else phonenumbers.PhoneNumberFormat.INTERNATIONAL
    )
    return phonenumbers.format_number(parsed, style)


def national_digits(number: str) -> str:
    """The digits of an E.164 number without its country's code; of any other number its digits."""
    try:
        return phonenumbers.national_significant_number(phonenumbers.parse(number, None))
    except NumberParseException:
        return re.sub(r"[^0-9]", "", number)


def country_of(number: str) -> str:
    """The ISO 3166 alpha-2 code of an E.164 number's country, or an empty text."""
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(number, None)) or ""
    except NumberParseException:
        return ""


def flag(country: str) -> str:
    """The country's flag as an emoji: its two letters as regional indicator symbols."""
    if len(country) != 2 or not country.isascii() or not country.isalpha():
        return ""
    return "".join(chr(0x1F1E6 + ord(letter) - ord("A")) for letter in country.upper())


def is_country(code: str) -> bool:
    """Whether this is a country (ISO 3166 alpha-2) with a numbering plan."""
    return code in phonenumbers.SUPPORTED_REGIONS


_KINDS: Final = {value: name.lower() for name, value in vars(phonenumbers.PhoneNumberType).items() if name.isupper()}
# Emergency numbers that people know from home or from films.
_KNOWN_EMERGENCY: Final = ("112", "911", "999", "000")
_TOO_SHORT: Final = (NumberParseException.TOO_SHORT_NSN, NumberParseException.TOO_SHORT_AFTER_IDD)
_LONGEST_SHORT_CODE: Final = 6
_SHORTEST: Final = 3  # digits that the library reads as a number at all


def read(typed: str, country: str) -> Reading:
    """What somebody typed, as one number: read as one of ``country`` (ISO 3166 alpha-2) unless it is international."""
    plain = plain_form(typed)
    digits = plain.text
    if plain.why is not None:
        return Reading(plain)
    if not digits.startswith("+"):
        if found := _emergency(digits, country):
            return Reading(plain, country=country, emergency=found)
        if digits in _KNOWN_EMERGENCY:
            here = next((one for one in _KNOWN_EMERGENCY if _emergency(one, country)), "")
            return Reading(plain, country=country, emergency_here=here)
    try:
        parsed = phonenumbers.parse(digits, country or None)
    except NumberParseException as error:
        too_short = error.error_type in _TOO_SHORT or len(digits.removeprefix("+")) < _SHORTEST
        why = None if too_short else Why.NOT_A_NUMBER
        return Reading(replace(plain, why=why), country=country, too_short=too_short)
    region = phonenumbers.region_code_for_number(parsed)
    if not region:
        region = phonenumbers.region_code_for_country_code(parsed.country_code or 0)
    possible = phonenumbers.is_possible_number_with_reason(parsed)
    return Reading(
        plain,
        number=phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164),
        calling_code=parsed.country_code or 0,
        national=phonenumbers.national_significant_number(parsed),
        country="" if region == "ZZ" else region,
        kind=_KINDS[phonenumbers.number_type(parsed)],
        valid=phonenumbers.is_valid_number(parsed),
        too_short=possible in (ValidationResult.TOO_SHORT, ValidationResult.IS_POSSIBLE_LOCAL_ONLY),
        short_code=_is_short_code(digits, country) and not phonenumbers.is_valid_number(parsed),
    )


def _emergency(digits: str, country: str) -> str:
    """The country's emergency number that these digits are, or ''."""
    if not is_country(country):
        return ""
    if phonenumbers.is_emergency_number(digits, country):
        return digits
    # North American desks used to dial 9 for an outside line: who is in need must not have to know that we do not.
    if phonenumbers.country_code_for_region(country) == 1 and digits == "9911":
        return "911"
    return ""


def _is_short_code(digits: str, country: str) -> bool:
    if digits.startswith("+") or len(digits) > _LONGEST_SHORT_CODE or not is_country(country):
        return False
    short = phonenumbers.PhoneNumber(
        country_code=phonenumbers.country_code_for_region(country),
        national_number=int(digits),
        italian_leading_zero=digits.startswith("0") or None,
    )
    return phonenumbers.is_valid_short_number_for_region(short, country)


def country_name(country: str, locale: str = "en") -> str:
    """The name of a country (ISO 3166 alpha-2) for people; '' for what is none."""
    return Locale.parse(locale).territories.get(country, "") if is_country(country) else ""
