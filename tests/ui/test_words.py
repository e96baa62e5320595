"""What pages say: every text that is asked for exists, and what callers wrote stays text."""

import re
import string
from pathlib import Path

import pytest

from aircall_core import numbers
from aircall_core.ui import checklist, format, text

ROOT = Path(__file__).parents[2]
SOURCES = [*sorted((ROOT / "pages").rglob("*.py")), *sorted((ROOT / "aircall_core/ui").rglob("*.py"))]


def test_every_text_that_pages_ask_for_exists() -> None:
    asked: set[str] = set()
    for path in SOURCES:
        asked |= set(re.findall(r'\bt\(\s*"([a-z_]+\.[a-z_.]+)"', path.read_text("utf-8")))
    assert len(asked) > 100
    known = {f"{section}.{key}" for section, texts in text.catalogue().items() for key in texts}
    assert asked - known == set()


def test_texts_can_be_filled_in() -> None:
    for section, texts in text.catalogue().items():
        for key, value in texts.items():
            fields = [name for _, name, _, _ in string.Formatter().parse(value) if name]
            if section != "ui":
                assert text.t(f"{section}.{key}", **dict.fromkeys(fields, "x")), key


def test_a_missing_text_is_an_error_of_ours() -> None:
    with pytest.raises(KeyError):
        text.t("page.there_is_no_such_text")


@pytest.mark.parametrize(
    "name",
    [
        "**bold** _it_ `code` # head",
        "[click](http://evil.example)",
        "![x](http://evil.example/x.png)",
        ":material/lock: :red[alarm] $x^2$",
        "<script>alert(1)</script>",
        "|a|b|\n|-|-|",
        "1. one\n2. two",
    ],
)
def test_names_are_no_markup(name: str) -> None:
    escaped = format.plain(name)
    assert "\n" not in escaped
    for char in "*_`[]()#|<>:$!.":
        assert not re.search(rf"(?<!\\)(\\\\)*{re.escape(char)}", escaped.replace(format.WORD_JOINER, "")), (
            char,
            escaped,
        )


@pytest.mark.parametrize("name", ["a@example.com", "www.evil.example", "https://evil.example/x", "mailto:a@b.example"])
def test_names_make_no_links(name: str) -> None:
    shown = format.plain(name)
    for trigger in ("@e", "@b", "www\\.e", "://", ":\\//"):
        assert trigger not in shown
    assert re.sub(r"\\(.)", r"\1", shown).replace(format.WORD_JOINER, "") == name


def test_numbers_are_shown_as_the_line_reads_them() -> None:
    assert format.party("+33199001234", "FR") == "01 99 00 12 34"
    assert format.party("+33199001234", "DE") == "+33 1 99 00 12 34"
    assert format.party("100", "FR") == "100"
    assert format.party(numbers.ANONYMOUS, "FR") == format.party("", "FR") == "Hidden number"
    assert format.flag("+33199001234") == "🇫🇷"
    assert format.flag("100") == ""


def test_moments_are_shown_in_the_companys_zone() -> None:
    at = 1_700_000_000_000  # 2023-11-14 22:13:20 UTC
    assert "10:13" in format.moment(at, "UTC")
    assert "11:13" in format.moment(at, "Europe/Paris")
    assert format.moment(at, "No/Such") == format.moment(at, "UTC")


def test_dates_sizes_and_languages() -> None:
    assert format.day(1_700_000_000_000, "Asia/Tokyo") == "Nov 15, 2023"
    sizes = [(0, "0 B"), (999, "999 B"), (1400, "1.4 kB"), (250_000, "250 kB"), (3_200_000_000, "3.2 GB")]
    assert [format.size(count) for count, _ in sizes] == [shown for _, shown in sizes]
    known = ("en", "es", "fr")
    assert [format.language_of(one, known) for one in ("MX", "FR", "CA", "DE", "")] == ["es", "fr", "en", "en", "en"]


def test_countries_have_names_and_numbers() -> None:
    found = format.countries()
    assert found["FR"] == "France"
    assert list(found.values()) == sorted(found.values())
    assert all(numbers.is_country(code) for code in found)


def test_every_step_of_the_checklist_leads_to_a_page() -> None:
    from aircall_core.store.queries.readiness import STEPS

    for step in STEPS:
        assert (ROOT / "pages" / checklist.PAGES[step]).is_file()
        assert text.t(f"setup.{step}")
        assert text.t(f"setup.{step}_go")
