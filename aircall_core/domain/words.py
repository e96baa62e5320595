"""Words as search compares them: made in one way for both databases, for questions, and for marking what was found.

A word is a run of letters and digits, in lower case and without accents. A number that is written in groups counts as
one word as well, so that it is found however it was written.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

LONGEST_WORD: Final = 64
MOST_WORDS: Final = 8_000  # of one text, which at most 20,000 letters long are
MOST_TERMS: Final = 8  # of one question
_SHORTEST_PREFIX: Final = 2
_SHORTEST_NUMBER: Final = 4
_TAILS: Final = (4, 6, 8)  # a number is also remembered by its last digits

# A letter or digit, and the accents that stand behind it where a text is written so.
_WORD = re.compile(r"[^\W_](?:[^\W_]|[\u0300-\u036f])*")
_PLAIN = re.compile(r"[^\W_]+")
_NUMBER = re.compile(r"\+?\d(?:[\s.()/-]{0,2}\d){5,17}")
_ONLY_A_NUMBER = re.compile(r"[\s+\d.()/-]+")


@dataclass(frozen=True, slots=True)
class Query:
    """What is looked for: all of these words, the ``begun`` one only as the beginning of a word, and these phrases."""

    words: tuple[str, ...] = ()
    begun: str = ""
    phrases: tuple[str, ...] = ()  # words with one blank between them; each of them is among ``words`` too

    def __bool__(self) -> bool:
        return bool(self.words or self.begun)


def plain(text: str) -> str:
    """Lower case, without accents, signs that mean letters as those letters."""
    parted = unicodedata.normalize("NFKD", text.casefold())
    return "".join(one for one in parted if not unicodedata.combining(one))


def words(text: str) -> list[str]:
    """The words of a text in their order, then its numbers as one word each."""
    found = [word[:LONGEST_WORD] for word in _PLAIN.findall(plain(text))][:MOST_WORDS]
    return found + [_digits(number.group()) for number in _NUMBER.finditer(text)]


def number_words(*forms: str) -> list[str]:
    """How a telephone number is found: by all its digits, in each of these forms, and by its last ones."""
    found = dict.fromkeys(digits for digits in map(_digits, forms) if digits)
    for digits in tuple(found):
        found |= dict.fromkeys(digits[-tail:] for tail in _TAILS if len(digits) > tail)
    return list(found)


def query(typed: str) -> Query:
    """What somebody who typed this looks for. The last word may be unfinished, unless a blank or a quote follows it."""
    if _ONLY_A_NUMBER.fullmatch(typed) and len(digits := _digits(typed)) >= _SHORTEST_NUMBER:
        return Query(begun=digits.removeprefix("00"))
    phrases: list[str] = []
    found: list[str] = []
    begun = ""
    for place, part in enumerate(typed.split('"')):
        inside = _PLAIN.findall(plain(part))
        if place % 2 == 1 and len(inside) > 1:
            phrases.append(" ".join(inside))
        found += inside
    if found and not typed.endswith((" ", '"')) and len(found[-1]) >= _SHORTEST_PREFIX:
        begun = found.pop()
    return Query(tuple(dict.fromkeys(found[:MOST_TERMS])), begun, tuple(phrases))


def spans(text: str, wanted: Query) -> list[tuple[int, int]]:
    """Where a text holds what was looked for: begin and end of each word, in letters, without overlaps."""
    return [found.span() for found in _occurrences(text) if any(_meant(one, wanted) for one in words(found.group()))]


def excerpt(text: str, wanted: Query, width: int = 160) -> tuple[str, list[tuple[int, int]]]:
    """The part of a text, about ``width`` letters, in which the first find stands, and where in it the finds are."""
    found = spans(text, wanted)
    first = found[0][0] if found else 0
    begin = max(0, first - width // 3) if len(text) > width else 0
    if begin:
        begin = text.find(" ", begin, first) + 1 or begin
    end = min(len(text), begin + width)
    before, after = "…" if begin else "", "…" if end < len(text) else ""
    moved = [(start - begin + len(before), stop - begin + len(before)) for start, stop in found if stop <= end]
    return f"{before}{text[begin:end]}{after}", moved


def pieces(text: str, marks: list[tuple[int, int]]) -> list[tuple[str, bool]]:
    """The text in parts, each marked or not: places counted in letters mean something else in a browser."""
    parts: list[tuple[str, bool]] = []
    at = 0
    for begin, end in marks:
        parts += [(text[at:begin], False), (text[begin:end], True)]
        at = end
    parts.append((text[at:], False))
    return [part for part in parts if part[0]]


def _occurrences(text: str) -> Iterator[re.Match[str]]:
    """Words and numbers in their places; a number in groups as a whole."""
    at = 0
    for number in _NUMBER.finditer(text):
        yield from _WORD.finditer(text, at, number.start())
        yield number
        at = number.end()
    yield from _WORD.finditer(text, at)


def _meant(word: str, wanted: Query) -> bool:
    return word in wanted.words or bool(wanted.begun and word.startswith(wanted.begun))


def _digits(text: str) -> str:
    return "".join(one for one in text if "0" <= one <= "9")
