"""Contacts as files have them: rows of a CSV, or vCards; each becomes a contact, or the reason why it is none."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aircall_core.domain import contact as rules
from aircall_core.domain import dial_file, vcard
from aircall_core.domain.contact import Entry, Profile
from aircall_core.domain.dial_file import Record, Unreadable, folded, words_of

LEFT_OUT: Final = ""
TARGETS: Final = ("name", "first", "last", "company", "number", "email", "description")  # and field:<id>
FIELD: Final = "field:"

_COMPANY: Final = words_of(
    "company | company name | organisation | organization | organization name | organisation name | employer | firm"
    " | empresa | compania | organizacion | entreprise | societe | organisme"
)
_EMAIL: Final = words_of(
    "email | e mail | email address | e mail address | mail | correo | correo electronico | courriel | adresse email"
    " | adresse mail | adresse e mail"
)
_DESCRIPTION: Final = dial_file.NOTE | words_of("description | about | descripcion")
_NAMES: Final = dial_file.FULL - _COMPANY


@dataclass(frozen=True, slots=True)
class Raw:
    """A contact as it stands in the file. ``custom``: by field id. ``text``: the row, for telling which one it is."""

    line: int
    name: str = ""
    company: str = ""
    description: str = ""
    numbers: tuple[tuple[str, str], ...] = ()  # with what each is
    emails: tuple[tuple[str, str], ...] = ()
    custom: tuple[tuple[str, str], ...] = ()
    text: str = ""
    broken: bool = False


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a row; ``kept``: the rest of it is taken. Codes: blank, number, email, long, custom, broken,
    taken."""

    line: int
    code: str
    detail: str
    text: str
    kept: bool = False


@dataclass(frozen=True, slots=True)
class File:
    """A file that was read. ``titles`` (or what stands in the first row) and ``targets`` by column; none for vCards."""

    kind: str  # csv, vcard
    encoding: str
    separator: str
    titles: tuple[str, ...]
    has_header: bool
    targets: tuple[str, ...]
    records: tuple[Record, ...] = ()
    cards: tuple[vcard.Card, ...] = ()

    def __len__(self) -> int:
        return len(self.records) or len(self.cards)

    def raws(self, targets: Sequence[str], start: int, stop: int) -> Iterator[Raw]:
        """Some of its contacts, counted from 0, columns read as told."""
        for card in self.cards[start:stop]:
            yield Raw(
                card.line, card.name, card.company, card.note, tuple(card.numbers), tuple(card.emails), (), card.text,
                card.broken,
            )  # fmt: skip
        for record in self.records[start:stop]:
            yield self._raw(record, targets)

    def _raw(self, record: Record, targets: Sequence[str]) -> Raw:
        found: dict[str, list[tuple[str, str]]] = {}
        for at, (target, cell) in enumerate(zip(targets, record.cells, strict=False)):
            if target and cell.strip():
                title = self.titles[at] if self.has_header and at < len(self.titles) else ""
                found.setdefault(target, []).append((cell.strip(), title))

        def joined(*names: str, by: str = " ") -> str:
            return by.join(cell for name in names for cell, _ in found.get(name, ()))

        several = sum(target == "number" for target in targets) > 1
        return Raw(
            record.line, joined("name") or joined("first", "last"), joined("company"), joined("description", by="\n"),
            tuple((cell, _short(title) if several else "") for cell, title in found.get("number", ())),
            tuple((cell, "") for cell, _ in found.get("email", ())),
            tuple((one.removeprefix(FIELD), cells[0][0]) for one, cells in found.items() if one.startswith(FIELD)),
            record.text, record.broken,
        )  # fmt: skip


def read(data: bytes, fields: Mapping[str, str]) -> File:
    """A CSV or vCard file. ``fields``: ids of custom fields by name, for columns of that name. Raises Unreadable."""
    if vcard.is_vcard(data):
        return File("vcard", "", "", (), False, (), cards=tuple(vcard.read(data)))
    found = dial_file.table(data)
    first = found.records[0].cells
    named = _by_titles(first, {folded(name): one for name, one in fields.items()})
    has_header = any(target in ("number", "email", "name", "first", "last") for target in named)
    records = found.records[1:] if has_header else found.records
    if not records:
        raise Unreadable("empty")
    if len(records) > dial_file.MOST_ROWS:
        raise Unreadable("too_many")
    width = max(len(record.cells) for record in records)
    targets = [*named, *[LEFT_OUT] * (width - len(named))] if has_header else _by_looks(records[:50], width)
    titles = tuple(first[at] if at < len(first) else "" for at in range(width))
    return File("csv", found.encoding, found.separator, titles, has_header, tuple(targets[:width]), records)


def _by_titles(titles: Sequence[str], fields: Mapping[str, str]) -> list[str]:
    known = (
        (_EMAIL, "email"), (_COMPANY, "company"), (dial_file.FIRST, "first"), (dial_file.LAST, "last"),
        (_NAMES, "name"), (_DESCRIPTION, "description"),
    )  # fmt: skip
    found = []
    for title in titles:
        name = folded(title)
        bare = name.rstrip("0123456789").strip()  # "Phone 2", "E-mail 1"
        if bare in dial_file.PHONE or name in dial_file.NUMBER:
            found.append("number")
        elif target := next((target for words, target in known if bare in words), ""):
            found.append(target)
        else:
            found.append(FIELD + fields[name] if name in fields else LEFT_OUT)
    return found


def _by_looks(records: Sequence[Record], width: int) -> list[str]:
    """Without a header: numbers and addresses by their looks; the first text is the name, the second the company."""
    found: list[str] = []
    words = iter(("name", "company"))
    for at in range(width):
        cells = [record.cells[at].strip() for record in records if at < len(record.cells) and record.cells[at].strip()]
        if cells and sum(dial_file.looks(cell) for cell in cells) * 2 > len(cells):
            found.append("number")
        elif cells and sum("@" in cell for cell in cells) * 2 > len(cells):
            found.append("email")
        else:
            found.append(next(words, LEFT_OUT) if any(char.isalpha() for cell in cells for char in cell) else LEFT_OUT)
    return found


def profile(
    raw: Raw, number: Callable[[str], str], fields: Mapping[str, Mapping[str, Any]]
) -> tuple[Profile | None, list[Problem]]:
    """The contact of a row, if it is one, and what is wrong with it. ``number`` reads one: E.164, or ''."""
    if raw.broken:
        return None, [Problem(raw.line, "broken", "", raw.text)]
    wrong: list[tuple[str, str]] = []
    numbers, emails, custom = [], [], {}
    for typed, label in raw.numbers:
        found = number(typed[:80].lstrip("='\"").rstrip('"'))
        if found:
            numbers.append(Entry(found, _short(label)))
        else:
            wrong.append(("number", typed[:80]))
    for typed, label in raw.emails:
        if mail := rules.email(typed):
            emails.append(Entry(mail, _short(label)))
        else:
            wrong.append(("email", typed[:80]))
    for field_id, typed in raw.custom:
        try:
            custom[field_id] = rules.custom_value(fields[field_id]["kind"], fields[field_id]["choices"], typed)
        except ValueError as error:
            wrong.append((f"custom_{error}", fields[field_id]["name"]))
    texts = {"name": rules.one_line(raw.name), "company": rules.one_line(raw.company)}
    for name, text in texts.items():
        if len(text) > rules.LONGEST_NAME:
            wrong.append(("long", text[:40]))
            texts[name] = ""
    description = rules.several_lines(raw.description)
    if len(description) > rules.LONGEST_DESCRIPTION:
        wrong.append(("long", description[:40]))
        description = ""
    found_all = Profile(
        name=texts["name"], company=texts["company"], description=description,
        custom={key: value for key, value in custom.items() if value is not None},
        numbers=_sorted(numbers), emails=_sorted(emails),
    )  # fmt: skip
    if found_all.blank:
        code, detail = wrong[0] if wrong else ("blank", "")
        return None, [Problem(raw.line, code, detail, raw.text)]
    return found_all, [Problem(raw.line, code, detail, raw.text, kept=True) for code, detail in wrong]


def _sorted(entries: Sequence[Entry]) -> tuple[Entry, ...]:
    return tuple(sorted(rules.unique(entries)[: rules.MOST_ENTRIES], key=lambda entry: entry.value))


def _short(label: str) -> str:
    return rules.one_line(label)[: rules.LONGEST_LABEL]
