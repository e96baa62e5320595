"""The contacts' page by role, and the import of a file as far as the desk's answers."""

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from aircall_core.ui.editors import contact_import
from aircall_core.ui.text import catalogue
from tests.support.desk_kit import Desk
from tests.ui.test_pages import desk, fine, shell

__all__ = ["desk"]  # fixtures
pytestmark = pytest.mark.timeout(180)


def mounted(at: AppTest) -> dict[str, Any]:
    """What the page gives the component."""
    (found,) = [
        json.loads(one.proto.json) for one in at.main
        if one.type == "bidi_component" and one.proto.component_name.endswith("contacts")
    ]  # fmt: skip
    return dict(found)


@pytest.mark.parametrize(
    ("role", "writes", "leads"),
    [("administrator", True, True), ("supervisor", True, True), ("agent", True, False), ("analyst", False, False)],
)
def test_who_may_do_what(desk: Desk, role: str, writes: bool, leads: bool) -> None:
    found = mounted(fine(shell(desk, role, "contacts.py")))
    assert (found["writes"], found["leads"]) == (writes, leads)


def test_only_leaders_bring_files(desk: Desk) -> None:
    at = shell(desk, "agent", "contacts.py")
    at.session_state["contacts-bringing"] = True
    assert mounted(fine(at.run()))["leads"] is False
    at = shell(desk, "supervisor", "contacts.py")
    at.session_state["contacts-bringing"] = True
    assert [one.value for one in fine(at.run()).title] == ["Import contacts"]


CUSTOM = ("long", "number", "date", "link", "choice")  # what a value of a custom field is not


def test_every_problem_has_words() -> None:
    words = catalogue()["contacts"]
    for code in ("blank", "number", "email", "long", "taken", "broken", *(f"custom_{one}" for one in CUSTOM)):
        assert contact_import.why({"code": code, "detail": "x"})
        assert f"why_{code}" in words
