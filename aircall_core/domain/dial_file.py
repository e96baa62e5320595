"""CSV files as people have them: whatever encoding and separator, with a header in one of three languages or without.

Reads, and judges nothing but the file as a whole: each line ends up in exactly one record.
"""

import csv
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

LARGEST: Final = 10_000_000  # bytes of a file
MOST_ROWS: Final = 50_000
SEPARATORS: Final = (",", ";", "\t", "|")
_LOOKED_AT: Final = 50  # records by which a file is judged
_LONGEST_RECORD: Final = 100  # lines: beyond that a quotation mark was never closed


def words_of(text: str) -> frozenset[str]:
    """Headers that mean the same, written with bars between them."""
    return frozenset(word.strip() for word in text.split("|"))


# Headers without case, accents and punctuation, in English, Spanish and French. What surely is a telephone number wins.
PHONE: Final = words_of(
    """phone | phone number | phone no | phonenumber | telephone | telephone number | tel | tel no | mobile
    | mobile phone | mobile number | cell | cell phone | cellphone | msisdn | e164 | contact number | number to call
    | telefono | numero de telefono | no de telefono | n de telefono | telefono movil | movil | celular
    | numero de telephone | no de telephone | n de telephone | telephone portable | telephone mobile | portable
    | telephone fixe | fixe"""
)
NUMBER: Final = words_of("number | numero | no | n")
FULL: Final = words_of(
    """name | full name | fullname | contact | contact name | customer | customer name | client | client name
    | nombre | nombre completo | nombre y apellidos | cliente | contacto | nom | nom complet | nom et prenom
    | nom du client | company | empresa | entreprise | societe"""
)
FIRST: Final = words_of("first name | firstname | given name | forename | prenom | nombre de pila")
LAST: Final = words_of(
    "last name | lastname | surname | family name | apellido | apellidos | nom de famille | primer apellido"
)
NOTE: Final = words_of(
    """note | notes | comment | comments | remark | remarks | info | information | nota | notas | comentario
    | comentarios | observaciones | commentaire | commentaires | remarque | remarques | observations"""
)
_NO_TEXT = re.compile(r"[\x00-\x08\x0e-\x19\x1b]")  # in a picture or a program; DOS ended its files with \x1a
_LINES = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_LIKE_A_NUMBER = re.compile(r"[=\"']*\+?[0-9][0-9 ().\u00a0\u202f/-]{4,}\"?")


class Unreadable(ValueError):
    """The file as a whole cannot be read; ``code`` says why: empty, workbook, encoding, too_large, too_many, number."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Record:
    """One row: its first line in the file (from 1), its cells. ``broken``: as it stands, since its quotes are off."""

    line: int
    cells: tuple[str, ...]
    broken: bool = False

    @property
    def blank(self) -> bool:
        """Whether nothing is in it."""
        return not any(cell.strip() for cell in self.cells)

    @property
    def text(self) -> str:
        """The row in one line, for telling people which one it is; at most 200 characters."""
        whole = " · ".join(" ".join(cell.split()) for cell in self.cells if cell.strip())
        return whole if len(whole) <= 200 else f"{whole[:199]}…"


@dataclass(frozen=True, slots=True)
class Columns:
    """Where things stand, from 0. ``names`` are joined by a space. ``width``: cells of the header; 0 without one."""

    number: int
    names: tuple[int, ...] = ()
    note: int | None = None
    width: int = 0

    def number_of(self, cells: Sequence[str]) -> str:
        """The cell with the number."""
        return _cell(cells, self.number)

    def name_of(self, cells: Sequence[str]) -> str:
        """The name, from its one or two cells."""
        return " ".join(filter(None, (_cell(cells, at).strip() for at in self.names)))

    def note_of(self, cells: Sequence[str]) -> str:
        """The cell with the note."""
        return "" if self.note is None else _cell(cells, self.note)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A file that was read. ``titles``: its header, or empty. ``columns`` is None where none looks like numbers."""

    encoding: str
    separator: str
    titles: tuple[str, ...]
    columns: Columns | None
    records: tuple[Record, ...]  # without the header

    @property
    def width(self) -> int:
        """The most cells that a row has."""
        return max((len(record.cells) for record in self.records), default=len(self.titles))


@dataclass(frozen=True, slots=True)
class Table:
    """A file's rows as they stand, a header among them if there is one."""

    encoding: str
    separator: str
    records: tuple[Record, ...]


def table(data: bytes) -> Table:
    """The rows of a file of at most `LARGEST` bytes, blank ones left out; at most one more than `MOST_ROWS`.

    Raises Unreadable.
    """
    if len(data) > LARGEST:
        raise Unreadable("too_large")
    if data[:4] == b"PK\x03\x04" or data[:4] == b"\xd0\xcf\x11\xe0":
        raise Unreadable("workbook")
    text, encoding = decode(data)
    lines = _LINES.findall(text)  # str.splitlines knows more line ends than CSV does
    first = 0
    given = re.fullmatch(r"sep=(.)\s*", lines[0]) if lines else None
    if given:  # Excel's way of saying it
        first, separator = 1, given[1]
    else:
        separator = _separator(lines)
    records = []
    for record in _records(lines, separator, first):
        if not record.blank:
            records.append(record)
        if len(records) > MOST_ROWS + 1:
            raise Unreadable("too_many")
    if not records:
        raise Unreadable("empty")
    return Table(encoding, separator, tuple(records))


def read(data: bytes) -> Sheet:
    """A file of at most `LARGEST` bytes and `MOST_ROWS` rows. Raises Unreadable."""
    found = table(data)
    titles, columns = _layout(found.records)
    rows = found.records[1:] if titles else found.records
    if len(rows) > MOST_ROWS:
        raise Unreadable("too_many")
    if not rows:
        raise Unreadable("empty")
    return Sheet(found.encoding, found.separator, titles, columns, rows)


def decode(data: bytes) -> tuple[str, str]:
    """The text and its encoding: UTF-8 or UTF-16 with or without a mark, else Windows' Western European.

    Raises Unreadable("encoding") where neither makes text of it.
    """
    if data.startswith(b"\xef\xbb\xbf"):
        guesses = ["utf-8-sig"]
    elif data.startswith((b"\xff\xfe", b"\xfe\xff")):
        guesses = ["utf-16"]
    elif b"\0" in data[:200]:
        guesses = ["utf-16-be" if data[:1] == b"\0" else "utf-16-le"]
    else:
        guesses = ["utf-8", "cp1252"]
    for encoding in guesses:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not _NO_TEXT.search(text):
            return text, encoding
    raise Unreadable("encoding")


def folded(text: str) -> str:
    """A header as it is compared: no case, accents or punctuation."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(char for char in apart if not unicodedata.combining(char))
    return " ".join(re.sub(r"[^a-z0-9]+", " ", plain).split())


def _separator(lines: Sequence[str]) -> str:
    """The separator by which the first rows come out most alike, and best with a header that is known."""

    def score(separator: str) -> tuple[bool, bool, float, int]:
        found = []
        for record in _records(lines[: 4 * _LOOKED_AT], separator, 0):
            if not record.blank:
                found.append(record)
            if len(found) == _LOOKED_AT:
                break
        if not found:
            return False, False, 0.0, 0
        width, times = Counter(len(record.cells) for record in found).most_common(1)[0]
        titles = found[0].cells
        return len(titles) > 1 and _by_titles(titles) is not None, width > 1, times / len(found), width

    return max(SEPARATORS, key=score)


def _records(lines: Sequence[str], separator: str, first: int) -> Iterator[Record]:
    """Rows from the line at index ``first`` on. Where a row's quotes are off, its first line is one of its own."""
    at = first
    while at < len(lines):
        part = lines[at : at + _LONGEST_RECORD]
        reader = csv.reader(iter(part), delimiter=separator, strict=True, skipinitialspace=True)
        try:
            cells = next(reader, [])
        except csv.Error:
            yield Record(at + 1, (lines[at].strip(),), broken=True)
            at += 1
        else:
            yield Record(at + 1, tuple(cells))
            at += max(1, reader.line_num)


def _layout(records: Sequence[Record]) -> tuple[tuple[str, ...], Columns | None]:
    """The header, if there is one, and where things stand."""
    titles = records[0].cells
    columns = _by_titles(titles)
    if columns is not None:
        return titles, columns
    columns = _bylooks(records[:_LOOKED_AT])
    # A first row whose number is none says what the others hold, in words that we do not know.
    is_header = columns is not None and len(records) > 1 and not looks(columns.number_of(titles))
    if columns is None or not is_header:
        return (), columns
    return titles, Columns(columns.number, columns.names, columns.note, len(titles))


def _by_titles(titles: Sequence[str]) -> Columns | None:
    names = [folded(title) for title in titles]

    def first(known: frozenset[str]) -> int | None:
        return next((at for at, name in enumerate(names) if name in known), None)

    number = first(PHONE)
    if number is None:
        number = first(NUMBER)
    if number is None:
        return None
    full, given, family = first(FULL), first(FIRST), first(LAST)
    if given is not None and family is not None:
        full = None
    parts = tuple(at for at in (given, full, family) if at is not None)
    return Columns(number, parts, first(NOTE), len(titles))


def _bylooks(records: Sequence[Record]) -> Columns | None:
    width = max(len(record.cells) for record in records)
    hits = [sum(looks(_cell(record.cells, at)) for record in records) for at in range(width)]
    if not hits or not max(hits):
        return None
    number = hits.index(max(hits))
    texts = [
        at
        for at in range(width)
        if at != number and any(char.isalpha() for record in records for char in _cell(record.cells, at))
    ]
    return Columns(number, tuple(texts[:1]), texts[1] if len(texts) > 1 else None)


def looks(cell: str) -> bool:
    """Whether a cell looks like a telephone number."""
    return _LIKE_A_NUMBER.fullmatch(cell.strip()) is not None


def _cell(cells: Sequence[str], at: int) -> str:
    return cells[at] if at < len(cells) else ""


def sheet_text(rows: Sequence[Sequence[str]]) -> str:
    """Rows as a CSV that spreadsheets open as it is meant: nothing in it becomes a formula."""
    out = io.StringIO()
    csv.writer(out).writerows([[_inert(cell) for cell in row] for row in rows])
    return out.getvalue()


def _inert(cell: str) -> str:
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
