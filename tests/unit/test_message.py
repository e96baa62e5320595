"""Texts, pure: how many SMS, which words opt out, templates, what a file is, what a report may change."""

import itertools
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aircall_core.domain import file_type, message, opt_out, segments, text_template
from aircall_core.domain.message import State

CASES = json.loads((Path(__file__).parents[1] / "support" / "segments.json").read_text())
GSM = st.text(st.sampled_from("abcXYZ 0189@£é\n€[]{}~^|\\"), max_size=700)
ANY = st.text(st.sampled_from("aé€ñçщ漢😀👩‍🚒"), max_size=400)


@pytest.mark.parametrize("case", CASES, ids=range(len(CASES)))
def test_counts_are_those_that_the_browser_shows(case: dict[str, object]) -> None:
    found = segments.count(str(case["text"]))
    assert (found.encoding, found.units, found.segments, found.left) == (
        case["encoding"], case["units"], case["segments"], case["left"],
    )  # fmt: skip


@given(st.one_of(GSM, ANY))
def test_parts_are_the_text_and_fit_whole(text: str) -> None:
    parts, counted = segments.split(text), segments.count(text)
    assert "".join(parts) == text
    assert len(parts) == counted.segments
    alone, each = (160, 153) if counted.encoding == "gsm7" else (70, 67)
    room = alone if len(parts) == 1 else each
    for part in parts:
        units = len(part.encode("utf-16-be")) // 2 if counted.encoding == "ucs2" else _septets(part)
        assert 0 < units <= room
        part.encode("utf-16-be")  # no half of a pair
    if len(parts) > 1:  # packed: the first character of a part did not fit into the one before
        for before, after in itertools.pairwise(parts):
            assert segments.count(before + after[0]).units > room


def _septets(text: str) -> int:
    return sum(2 if one in "^{}\\[~]|€\f" else 1 for one in text)


@given(GSM)
def test_gsm_texts_cost_septets(text: str) -> None:
    assert segments.count(text).encoding == "gsm7"
    assert segments.count(text).units == _septets(text)


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("STOP", "out"),
        (" stop. ", "out"),
        ("Stop all", "out"),
        ("StopAll!", "out"),
        ("Arrêt", "out"),
        ("ARRET", "out"),
        ("désabonner", "out"),
        ("Baja", "out"),
        ("ALTO", "out"),
        ("Unsubscribe", "out"),
        ("START", "in"),
        ("reprendre", "in"),
        ("Alta", "in"),
        ("Please stop by tomorrow", None),
        ("the end", None),
        ("", None),
        ("stop" * 20, None),
        ("🛑", None),
    ],
)
def test_words_that_opt_out(text: str, wish: str | None) -> None:
    assert opt_out.wish_of(text) == wish


def test_the_confirmation_speaks_the_lines_language() -> None:
    assert "START" in opt_out.confirmation("out", "fr", "Support")
    assert opt_out.confirmation("out", "de", "Support") == opt_out.confirmation("out", "en", "Support")
    assert all(
        segments.count(opt_out.confirmation(wish, language, "Customer care")).segments == 1
        for wish in ("out", "in")
        for language in ("en", "fr", "es")
    ), "it costs one SMS"


def test_templates_are_filled_once_and_say_what_is_missing() -> None:
    body = "Dear {{ contact.name }}, {{user.name}} here. {{contact.company}} {{contact.nonsense}}"
    found = text_template.fill(body, {"contact.name": "{{user.name}}", "user.name": "Ann"})
    assert found.text == "Dear {{user.name}}, Ann here. {{contact.company}} {{contact.nonsense}}"
    assert found.missing == ("contact.company", "contact.nonsense")
    assert text_template.unknown_in(body) == ["contact.nonsense"]
    assert (text_template.first_name(" Ann  Lee Fox "), text_template.last_name("Ann Lee Fox")) == ("Ann", "Lee Fox")


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\xff\xd8\xff\xe0....", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n..", "image/png"),
        (b"RIFF1234WEBPVP8 ", "image/webp"),
        (b"RIFF1234WAVEfmt ", "audio/wav"),
        (b"\0\0\0\x18ftypisom....", "video/mp4"),
        (b"\0\0\0\x18ftyp3gp5....", "video/3gpp"),
        (b"\0\0\0\x18ftypM4V ....", "video/mp4"),
        (b"\0\0\0\x14ftypqt  ....", "video/quicktime"),
        (b"\0\0\0\x18ftypM4A ....", "audio/mp4"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "image/heic"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1heicmiaf", "image/heif"),
        (b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf", "image/avif"),
        (b"\0\0\0\x18ftypodd1\0\0\0\0odd2isom", "video/mp4"),
        (b"\0\0\0\x14ftypjp2 \0\0\0\0jp2 ", None),
        (b"\xff\xff\xff\xffftypodd1", None),
        (b"%PDF-1.7", "application/pdf"),
        (b"begin:vcard\r\n", "text/vcard"),
        (b"<svg onload=alert(1)>", None),
        (b"<!doctype html>", None),
        (b"MZ\x90", None),
        (b"", None),
    ],
)
def test_a_file_is_what_it_begins_with(head: bytes, kind: str | None) -> None:
    assert file_type.sniff(head) == kind


@given(st.text(max_size=300))
def test_names_of_files_can_be_shown_and_saved(name: str) -> None:
    safe = file_type.safe_name(name, "image/png")
    assert safe.endswith(".png")
    assert len(safe) <= file_type.LONGEST_NAME
    assert not set(safe) & set('/\\<>:"|?*\x00\n\r\u202e')


def test_the_ending_of_a_file_is_that_of_its_kind() -> None:
    assert file_type.safe_name("../../etc/photo.exe", "image/jpeg") == "photo.jpg"
    assert file_type.safe_name("invoice\u202efdp.exe", "application/pdf") == "invoice fdp.pdf"
    assert file_type.safe_name("", "image/gif") == "file.gif"
    assert "image/svg+xml" not in file_type.TYPES
    assert "application/pdf" not in file_type.INLINE
    assert "image/heic" not in file_type.INLINE, "few browsers draw it"
    assert file_type.safe_name("IMG_1.HEIC", "image/heic") == "IMG_1.heic"


def test_reports_lead_forward_only() -> None:
    assert message.takes_report("unknown", State.DELIVERED)
    assert message.takes_report("sent", State.FAILED)
    assert not message.takes_report("delivered", State.FAILED)
    assert not message.takes_report("delivered", State.SENT)
    assert not message.takes_report("queued", State.DELIVERED)
    assert not message.takes_report("received", State.DELIVERED)


@given(st.integers(1, 100), st.floats(0, 1))
def test_pauses_grow_to_a_minute(failures: int, jitter: float) -> None:
    assert 1 <= message.pause_s(failures, jitter) <= 60
    assert message.pause_s(failures, 1) <= message.pause_s(failures + 1, 1)
