"""CSV files for the power dialer: whatever people save, each row is an entry or a problem with its line."""

import csv
import io
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aircall_core import numbers
from aircall_core.domain import dial_file
from aircall_core.domain.dial_file import Columns, Record, Unreadable, decode, folded, sheet_text
from aircall_core.domain.dial_list import Code, Problem, Row, read, rows


def as_french(text: str) -> tuple[str, str]:
    if text == "0899 12 34 56":
        return "+33899123456", "premium"
    number = numbers.normalise(text, "FR")
    return (number, "") if len(number) == 12 else ("", "not_a_number")


def checked(data: bytes | str, **columns: Any) -> list[Row | Problem]:
    sheet = dial_file.read(data.encode() if isinstance(data, str) else data)
    where = Columns(**columns) if columns else sheet.columns
    assert where is not None
    return list(rows(sheet.records, where, as_french, {}))


def good(data: bytes | str) -> list[tuple[str, str, str]]:
    found = checked(data)
    assert all(isinstance(one, Row) for one in found), found
    return [(one.number, one.name, one.note) for one in found if isinstance(one, Row)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_encoding_separator_and_line_end(encoding: str, separator: str, end: str) -> None:
    lines = [
        separator.join(("Téléphone", "Prénom", "Nom", "Commentaire")),
        separator.join(("01 99 00 12 34", "Zoé", "Lefèvre", f'"chauffe{separator}eau, 2 ans"')),
        separator.join(("+34 600 123 456", "", "Núñez", "")),
    ]
    data = end.join(lines).encode(encoding)
    assert good(data) == [
        ("+33199001234", "Zoé Lefèvre", f"chauffe{separator}eau, 2 ans"),
        ("+34600123456", "Núñez", ""),
    ]


@pytest.mark.parametrize(
    ("header", "names"),
    [
        ("Phone number,Name,Notes", (1,)),
        ("Mobile,First name,Last name,Comment", (1, 2)),
        ("Teléfono,Nombre,Apellidos,Observaciones", (1, 2)),
        ("Nº de teléfono,Cliente,Nota", (1,)),
        ("N° de téléphone,Prénom,Nom de famille,Remarques", (1, 2)),
        ("NUMÉRO,Nom complet,Info", (1,)),
        ("TÉL.,Entreprise,NOTES", (1,)),
    ],
)
def test_headers_in_three_languages(header: str, names: tuple[int, ...]) -> None:
    sheet = dial_file.read(f"{header}\n0199001234,a,b,c\n".encode())
    assert sheet.columns is not None
    assert (sheet.columns.number, sheet.columns.names) == (0, names)
    assert sheet.columns.note == len(header.split(",")) - 1
    assert len(sheet.records) == 1


def test_what_surely_is_a_telephone_number_wins_over_any_number() -> None:
    sheet = dial_file.read(b"Number,Name,Phone\n17,Ada,0199001234\n")
    assert sheet.columns == Columns(number=2, names=(1,), note=None, width=3)


def test_without_a_header_the_numbers_are_found_by_their_looks() -> None:
    assert good("Ada;01 99 00 12 34;rings twice\nBo;0199001235;\n") == [
        ("+33199001234", "Ada", "rings twice"),
        ("+33199001235", "Bo", ""),
    ]
    assert good("0199001234\n0199001235") == [("+33199001234", "", ""), ("+33199001235", "", "")]


def test_a_header_in_words_that_nobody_knows_is_no_row() -> None:
    sheet = dial_file.read(b"Rufnummer,Wer\n0199001234,Ada\n")
    assert (sheet.titles, len(sheet.records)) == (("Rufnummer", "Wer"), 1)
    assert sheet.columns == Columns(0, (1,), None, 2)


def test_a_file_without_numbers_leaves_the_choice_to_its_user() -> None:
    sheet = dial_file.read(b"a,b\nc,d\n")
    assert (sheet.columns, sheet.width) == (None, 2)


def test_excel_says_its_separator() -> None:
    assert good("sep=;\r\nphone;name\r\n0199001234;Dupont, Marie\r\n") == [("+33199001234", "Dupont, Marie", "")]


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("", Code.NO_NUMBER),
        ("'", Code.NO_NUMBER),
        ("3.36E+10", Code.SHORTENED),
        ("3,36E+10", Code.SHORTENED),
        ("call her", Code.NOT_A_NUMBER),
        ("12", Code.NOT_A_NUMBER),
        ("+3319900", Code.NOT_A_NUMBER),
        ("0199001234 / 0199001235", Code.SEVERAL),
        ("0199001234\n0199001235", Code.SEVERAL),
        ("0199001234 ext. 12", Code.EXTENSION),
        ("01 99 00 12 34 poste 7", Code.EXTENSION),
        ("0899 12 34 56", Code.REFUSED),
    ],
)
def test_cells_that_are_no_number(cell: str, code: Code) -> None:
    found = read(cell, as_french)
    assert isinstance(found, Problem)
    assert found.code is code


@pytest.mark.parametrize("cell", ['="0199001234"', "'0199001234", " 01 99 00 12 34 ", "199001234", "0033199001234"])
def test_what_spreadsheets_do_to_numbers(cell: str) -> None:
    assert read(cell, as_french) == "+33199001234"


def test_each_bad_row_is_told_with_its_line() -> None:
    text = (
        "phone,name,note\n"  # 1
        "0199001234,Ada,\n"  # 2
        "\n"  # 3: blank
        "nobody,Bo,\n"  # 4
        '0199001236,"Cy\nLine two",ok\n'  # 5, 6
        "01 99 00 12 34,Ada again,\n"  # 7
        '0199001238,Di "the boss,x\n'  # 8: a quotation mark inside is only a character
        '0199001239,"Ed" Smith,x\n'  # 9: this one is misplaced
        "0199001240,Flo,one,two\n"  # 10
        f"0199001241,{'n' * 201},\n"  # 11
        f"0199001242,Gus,{'x' * 2001}\n"  # 12
        ',"Hal",\n'  # 13
        '0199001243,"Ida,\n'  # 14: never closed
        "0199001244,Jo,\n"  # 15: not lost for it
    )
    found = checked(text)
    problems = {one.line: one.code for one in found if isinstance(one, Problem)}
    assert problems == {
        4: Code.NOT_A_NUMBER, 7: Code.TWICE, 9: Code.QUOTES, 10: Code.EXTRA_CELLS, 11: Code.NAME_TOO_LONG,
        12: Code.NOTE_TOO_LONG, 13: Code.NO_NUMBER, 14: Code.QUOTES,
    }  # fmt: skip
    assert [one.line for one in found if isinstance(one, Row)] == [2, 5, 8, 15]
    assert next(one.detail for one in found if isinstance(one, Problem) and one.code is Code.TWICE) == "2"
    assert next(one.name for one in found if one.line == 5 and isinstance(one, Row)) == "Cy Line two"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b"\n\n  \n", "empty"),
        (b"phone,name\n", "empty"),
        (b"PK\x03\x04rest", "workbook"),
        (b"\xd0\xcf\x11\xe0rest", "workbook"),
        (b"phone\n01990012\x8134\n", "encoding"),
        (b"\x89HTM\r\n\x1a\n\x05\x0fIHDR,0199001234\n", "encoding"),
        (b"0" * (dial_file.LARGEST + 1), "too_large"),
        (b"phone\n" + b"0199001234\n" * (dial_file.MOST_ROWS + 1), "too_many"),
    ],
)
def test_files_that_cannot_be_read(data: bytes, code: str) -> None:
    with pytest.raises(Unreadable) as refused:
        dial_file.read(data)
    assert refused.value.code == code


def test_the_largest_file_is_read_whole() -> None:
    body = "".join(f"+336{n:08d},Name {n}\n" for n in range(dial_file.MOST_ROWS))
    sheet = dial_file.read(f"phone,name\n{body}".encode())
    assert len(sheet.records) == dial_file.MOST_ROWS


@given(st.text())
def test_any_text_comes_back_from_its_encodings(text: str) -> None:
    text = re.sub(r"[\x00-\x08\x0e-\x19\x1b]", "", text)
    assert decode(text.encode("utf-8-sig")) == (text, "utf-8-sig")
    assert decode(text.encode("utf-16")) == (text, "utf-16")


@given(st.binary(max_size=400))
def test_no_bytes_break_the_reading(data: bytes) -> None:
    try:
        sheet = dial_file.read(data)
    except Unreadable:
        return
    assert sheet.records
    assert len(list(rows(sheet.records, Columns(0), as_french, {}))) == len(sheet.records)


_BINARY = "".join(map(chr, (*range(9), *range(14, 26), 27)))
_CELL = st.text(st.characters(exclude_characters=_BINARY, exclude_categories=["Cs"]), max_size=12)


@given(
    st.lists(st.tuples(st.integers(600_000_000, 699_999_999), _CELL, _CELL), min_size=2, max_size=20),
    st.sampled_from([",", ";", "\t"]),
)
def test_what_a_spreadsheet_writes_is_read_cell_by_cell(table: list[tuple[int, str, str]], separator: str) -> None:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=separator, quoting=csv.QUOTE_ALL)
    writer.writerows([("Phone", "Name", "Note"), *((f"0{number}", *rest) for number, *rest in table)])
    sheet = dial_file.read(out.getvalue().encode())
    assert sheet.separator == separator
    assert [record.cells for record in sheet.records] == [(f"0{number}", *rest) for number, *rest in table]


_LINE = st.text(st.sampled_from("01 +,;\"\tab'\n"), max_size=30)


@given(st.lists(_LINE, max_size=20))
def test_nothing_is_lost_whatever_the_quotes(lines: list[str]) -> None:
    """Every digit of the file is in a record, and records follow each other without overlapping."""
    data = "\n".join(lines)
    try:
        sheet = dial_file.read(f"phone,name\n{data}".encode())
    except Unreadable:
        assert not data.strip(' ,;"\t\n')
        return
    shown = "".join("".join(record.cells) for record in sheet.records)
    for digit in "01ab":
        assert shown.count(digit) == data.count(digit)
    starts = [record.line for record in sheet.records]
    assert starts == sorted(set(starts))


@given(st.lists(st.one_of(st.just("0199001234"), st.just("0199001235"), st.just("x"), st.just("")), max_size=12))
def test_each_row_is_an_entry_or_a_problem_and_no_number_is_twice(cells: list[str]) -> None:
    records = [Record(line, (cell, "n")) for line, cell in enumerate(cells, 2)]
    found = list(rows(records, Columns(0, (1,)), as_french, {}))
    assert [one.line for one in found] == [record.line for record in records]
    accepted = [one.number for one in found if isinstance(one, Row)]
    assert len(accepted) == len(set(accepted))
    assert set(accepted) == {as_french(cell)[0] for cell in cells if len(cell) > 5}


def test_headers_are_compared_without_their_dress() -> None:
    assert folded("  N° de Téléphone: ") == "n de telephone"


def test_a_sheet_for_download_holds_no_formula() -> None:
    text = sheet_text([("line", "row"), ("2", "=1+1"), ("3", "+33199001234")])
    assert text.splitlines() == ["line,row", "2,'=1+1", "3,'+33199001234"]
