"""Files of contacts: vCards of three versions, CSV with and without a header, and whatever else people send."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aircall_core.domain import contact, contact_file, vcard
from aircall_core.domain.contact import Entry, Profile
from aircall_core.domain.contact_file import FIELD, Raw
from aircall_core.domain.dial_file import Unreadable

V21 = (
    "BEGIN:VCARD\r\nVERSION:2.1\r\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BCller;Zo=C3=\r\n=AB;;;\r\n"
    "TEL;CELL;PREF:+33 6 12 34 56 78\r\nTEL;WORK;VOICE:0142685300\r\nEMAIL;INTERNET:zoe@example.com\r\n"
    "PHOTO;ENCODING=BASE64;JPEG:AAAA\r\n BBBB\r\nEND:VCARD\r\n"
)
V30 = (
    "BEGIN:VCARD\nVERSION:3.0\nFN:Zoë Müller\nN:Müller;Zoë;;;\nORG:Acme\\, Inc.;Sales\n"
    "NOTE:First line\\nand a very lo\n"
    ' ng one\nitem1.TEL;TYPE="work,voice":+33 1 42 68 53 00\nEND:VCARD\n'
)
V40 = (
    'BEGIN:VCARD\nVERSION:4.0\nFN:Zoë Müller\nTEL;VALUE=uri;TYPE="voice,home";PREF=1:tel:+33-1-42-68-53-00;ext=2\n'
    "EMAIL;TYPE=work:mailto:zoe@example.com\nEND:VCARD\n"
)


def card(text: str) -> vcard.Card:
    (found,) = vcard.read(text.encode())
    return found


def test_three_versions_say_the_same() -> None:
    old, usual, new = card(V21), card(V30), card(V40)
    assert {old.name, usual.name, new.name} == {"Zoë Müller"}
    assert old.numbers == [("+33 6 12 34 56 78", "cell"), ("0142685300", "work")]
    assert usual.numbers == [("+33 1 42 68 53 00", "work")]
    assert new.numbers == [("+33-1-42-68-53-00", "home")]
    assert old.emails == [("zoe@example.com", "")]
    assert new.emails == [("zoe@example.com", "work")]
    assert (usual.company, usual.note) == ("Acme, Inc.", "First line\nand a very long one")
    assert not any(one.broken for one in (old, usual, new))


def test_a_card_that_is_not_by_the_book_stops_no_other() -> None:
    text = "BEGIN:VCARD\nthis is no line\nEND:VCARD\n" + V30 + "BEGIN:VCARD\nFN:Cut off"
    found = vcard.read(text.encode())
    assert [(one.line, one.name, one.broken) for one in found] == [
        (1, "", True), (4, "Zoë Müller", False), (4 + V30.count("\n"), "Cut off", True),
    ]  # fmt: skip


def test_a_card_in_a_card_is_not_the_contact() -> None:
    text = "BEGIN:VCARD\nFN:Boss\nAGENT:\nBEGIN:VCARD\nFN:Agent\nTEL:1\nEND:VCARD\nTEL:2\nEND:VCARD\n"
    assert [(one.name, one.numbers) for one in vcard.read(text.encode())] == [("Boss", [("2", "")])]


def test_what_is_no_card_file() -> None:
    assert not vcard.is_vcard(b"Name;Phone\n")
    assert vcard.is_vcard("\ufeffbegin:vcard\n".encode())
    assert vcard.is_vcard("BEGIN:VCARD\nFN:x".encode("utf-16"))
    with pytest.raises(Unreadable, match="empty"):
        vcard.read(b"BEGIN:NOTHING\n")


PLAIN = (
    st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=120)
    .map(str.strip)
    .filter(bool)
)


@given(PLAIN, PLAIN, st.integers(1, 60))
def test_whatever_was_written_by_the_book_is_read(name: str, note: str, width: int) -> None:
    def escaped(text: str) -> str:
        return "".join(f"\\{one}" if one in "\\,;" else one for one in text)

    def folded(line: str) -> str:
        return "\r\n ".join(line[at : at + width] for at in range(0, len(line), width))

    text = "\r\n".join(
        ["BEGIN:VCARD", "VERSION:3.0", folded(f"FN:{escaped(name)}"), folded(f"NOTE:{escaped(note)}"), "END:VCARD"]
    )
    found = card(text)
    assert (found.name, found.note, found.broken) == (name, note, False)


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_nothing_that_is_sent_breaks_it(data: bytes) -> None:
    for text in (data, b"BEGIN:VCARD\n" + data, V21.encode()[: len(data) * 3] + data):
        try:
            file = contact_file.read(text, {})
        except Unreadable:
            continue
        for raw in file.raws(file.targets, 0, 100):
            profile, problems = contact_file.profile(raw, lambda typed: typed, {})
            assert profile is not None or problems


def read(text: str, fields: dict[str, str] | None = None) -> tuple[list[str], list[Raw]]:
    file = contact_file.read(text.encode(), fields or {})
    return list(file.targets), list(file.raws(file.targets, 0, 100))


def test_columns_are_known_by_their_titles() -> None:
    targets, rows = read(
        "First name;Last name;Société;Mobile;Work phone;Phone 2;E-mail 1;Notes;Shoe size;Other\n"
        "Zoë;Müller;Acme;0612;;0142;z@x.fr;tea;42;x\n",
        {"Shoe size": "f1"},
    )
    assert targets == ["first", "last", "company", "number", "", "number", "email", "description", FIELD + "f1", ""]
    (row,) = rows
    assert (row.name, row.company, row.description) == ("Zoë Müller", "Acme", "tea")
    assert row.numbers == (("0612", "Mobile"), ("0142", "Phone 2"))
    assert row.custom == (("f1", "42"),)


def test_columns_are_known_by_their_looks() -> None:
    targets, rows = read("Zoë,01 42 68 53 00,z@x.fr,Acme\nBo,01 42 68 53 01,b@x.fr,\n")
    assert targets == ["name", "number", "email", "company"]
    assert [row.name for row in rows] == ["Zoë", "Bo"]


def profile(raw: Raw) -> tuple[Profile | None, list[tuple[str, bool]]]:
    fields = {"f": {"name": "Born", "kind": "date", "choices": []}}
    found, problems = contact_file.profile(raw, lambda text: text if text.startswith("+") else "", fields)
    return found, [(one.code, one.kept) for one in problems]


def test_what_is_wrong_with_a_row_takes_nothing_else_with_it() -> None:
    good = Raw(2, "Zoë", numbers=(("+331", ""), ("x", "")), emails=(("no", ""),), custom=(("f", "soon"),))
    assert profile(good) == (
        Profile("Zoë", numbers=(Entry("+331"),)),
        [("number", True), ("email", True), ("custom_date", True)],
    )
    assert profile(Raw(3, numbers=(("x", ""),))) == (None, [("number", False)])
    assert profile(Raw(4, description="of nobody")) == (None, [("blank", False)])
    assert profile(Raw(5, broken=True)) == (None, [("broken", False)])
    found, told = profile(Raw(6, "n" * 300, "Acme"))
    assert found is not None
    assert (found.name, told) == ("", [("long", True)])


NAMES = st.sampled_from(["", "Zoë", "Bo"])
PROFILES = st.builds(
    Profile, NAMES, NAMES, NAMES,
    st.lists(st.sampled_from(["+331", "+332", "+333"]).map(Entry), unique=True, max_size=3).map(tuple),
    st.lists(st.sampled_from(["a@x.fr", "b@x.fr"]).map(Entry), unique=True, max_size=2).map(tuple),
    st.dictionaries(st.sampled_from(["f", "g"]), st.integers(0, 3)), st.none() | st.integers(1, 9),
)  # fmt: skip


@given(PROFILES, PROFILES)
def test_of_two_made_one_nothing_is_lost(kept: Profile, gone: Profile) -> None:
    both = contact.merged(kept, gone)
    for name in ("numbers", "emails"):
        assert {one.value for one in getattr(both, name)} == {
            one.value for each in (kept, gone) for one in getattr(each, name)
        }
    assert both.name == (kept.name or gone.name)
    assert set(both.custom) == set(kept.custom) | set(gone.custom)
    assert all(one in both.description for one in (kept.description, gone.description))
    assert contact.merged(both, gone) == both  # again changes nothing
