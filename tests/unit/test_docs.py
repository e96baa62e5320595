"""Documentation that cannot rot: the files it walks through exist, and every kind of event is listed."""

import re
from pathlib import Path

from aircall_core.domain import events

ROOT = Path(__file__).parents[2]
DOCS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]


def test_every_file_that_the_architecture_walks_through_exists() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:aircall_core|pages|docs|tests)/[\w/.-]+\.\w+)`", text))
    assert len(named) > 15
    assert not [name for name in named if not (ROOT / name).exists()]


def test_links_between_documents_lead_somewhere() -> None:
    links = [
        (page, target)
        for page in DOCS
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8"))
        if "://" not in target and not target.startswith("mailto:")
    ]
    assert len(links) > 5
    assert not [f"{page.name}: {target}" for page, target in links if not (page.parent / target).exists()]


def test_every_document_can_be_come_to_from_the_readme() -> None:
    """By links, over as many documents as it takes."""
    found, ahead = set(), [ROOT / "README.md"]
    while ahead:
        page = ahead.pop()
        if page not in found:
            found.add(page)
            links = re.findall(r"\]\(([^)#\s]+\.md)[^)]*\)", page.read_text(encoding="utf-8"))
            ahead += [(page.parent / link).resolve() for link in links if "://" not in link]
    written = set((ROOT / "docs").glob("*.md"))
    assert written - found == set()


def test_every_kind_of_event_is_documented_and_none_that_does_not_exist() -> None:
    text = (ROOT / "docs" / "events.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `([a-z_.]+)` \|", text, re.MULTILINE))
    constants = {value for name, value in vars(events).items() if name.isupper() and isinstance(value, str)}
    known = {value for value in constants if "." in value}
    assert documented == known
