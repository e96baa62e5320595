"""Telephone numbers: one spelling for comparing (E.164), another for reading (national), whatever a trunk sends."""

import re

import phonenumbers

ANONYMOUS = "anonymous"
_DIALLED = re.compile(r"[^0-9+*#]")


def normalise(text: str, country: str) -> str:
    """The number in E.164 if it is one (read as one of ``country``, ISO 3166 alpha-2), else its dialled characters.

    Short internal numbers (extensions, ``100``) stay as they are. Empty when nothing in it can be dialled.
    """
    try:
        parsed = phonenumbers.parse(text, country or None)
    except phonenumbers.NumberParseException:
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
    try:
        parsed = phonenumbers.parse(number, country or None)
    except phonenumbers.NumberParseException:
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


def country_of(number: str) -> str:
    """The ISO 3166 alpha-2 code of an E.164 number's country, or an empty text."""
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(number, None)) or ""
    except phonenumbers.NumberParseException:
        return ""


def flag(country: str) -> str:
    """The country's flag as an emoji: its two letters as regional indicator symbols."""
    if len(country) != 2 or not country.isascii() or not country.isalpha():
        return ""
    return "".join(chr(0x1F1E6 + ord(letter) - ord("A")) for letter in country.upper())


def is_country(code: str) -> bool:
    """Whether this is a country (ISO 3166 alpha-2) with a numbering plan."""
    return code in phonenumbers.SUPPORTED_REGIONS
