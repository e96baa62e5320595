"""The power dialer's page by role and plan, its forms, and the import of a file as far as the desk's answers."""

import io
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from aircall_core.desk import dial_lists
from aircall_core.domain.dial_list import Code
from aircall_core.service import dial_lists as routes
from aircall_core.store import provisioning
from aircall_core.ui import client, navigation
from aircall_core.ui.format import plain
from aircall_core.ui.text import catalogue
from tests.support.desk_kit import Desk
from tests.ui.test_flow_editor import button
from tests.ui.test_pages import Sent, desk, fine, sent, shell

__all__ = ["desk", "sent"]  # fixtures
pytestmark = pytest.mark.timeout(180)
PAGE = "dialer.py"
FILE = "Phone;Name\n0142685300;Ada\nnobody;Bo\n"


def mounted(at: AppTest) -> list[dict[str, Any]]:
    """What the page gives the dialer's component."""
    return [
        json.loads(one.proto.json) for one in at.main
        if one.type == "bidi_component" and one.proto.component_name.endswith("dialer")
    ]  # fmt: skip


def labels(at: AppTest) -> set[str]:
    return {one.label for one in at.button}


@pytest.fixture
def spring(desk: Desk) -> str:
    """A list of Ann's line."""
    with desk.store.write() as tx:
        made = dial_lists.create(tx, "system", name="Spring *offer*", line_id=desk.line)
        dial_lists.add_one(tx, "system", made, number="01 42 68 53 00")
    return made


def test_off_says_why_and_where_to_turn_it_on(desk: Desk, spring: str) -> None:
    with desk.store.write() as tx:
        provisioning.put_setting(tx.conn, "plan", {"plan": "essentials", "add_ons": [], "trial_until": None})
    at = fine(shell(desk, "administrator", PAGE))
    assert "Power Dialer is off" in at.info[0].value
    assert "Professional" in at.info[0].value
    assert not mounted(at)
    at = fine(shell(desk, "agent", PAGE))
    assert "An administrator can change that under Settings, Plan." in [one.value for one in at.caption]


def test_everybody_who_speaks_with_customers_has_the_page(desk: Desk, spring: str) -> None:
    for role, has in (("administrator", True), ("supervisor", True), ("agent", True), ("analyst", False)):
        files = [file for section in navigation.outline(role).values() for file, _, _ in section]
        assert (PAGE in files) is has, role


def test_agents_dial_and_leaders_make_lists_too(desk: Desk, spring: str) -> None:
    at = fine(shell(desk, "agent", PAGE))
    (given,) = mounted(at)
    assert (given["list"], given["leads"]) == (spring, False)
    assert not labels(at) & {"New list", "Import numbers", "Edit list"}
    at = fine(shell(desk, "supervisor", PAGE))
    assert mounted(at)[0]["leads"] is True
    assert {"New list", "Import numbers", "Edit list"} <= labels(at)
    assert at.selectbox[0].options == ["Spring *offer*"]


def test_without_a_list_the_page_says_what_to_do(desk: Desk) -> None:
    assert "Make a list" in fine(shell(desk, "supervisor", PAGE)).info[0].value
    assert "A supervisor makes one" in fine(shell(desk, "agent", PAGE)).info[0].value


def test_archived_lists_are_shown_when_asked_for(desk: Desk, spring: str) -> None:
    with desk.store.write() as tx:
        dial_lists.change(tx, "system", spring, {"archived": True})
    at = fine(shell(desk, "supervisor", PAGE))
    assert not mounted(at)
    at.toggle(key="dialer-archived").set_value(True).run()
    fine(at)
    assert at.selectbox[0].options == ["Spring *offer* (archived)"]
    assert "nobody dials it" in at.info[0].value


def test_a_list_is_made_and_changed_as_the_routes_take_it(desk: Desk, sent: Sent) -> None:
    def script() -> None:
        from aircall_core.store.queries import lines
        from aircall_core.ui import data
        from aircall_core.ui.editors.dial_list import FRESH, list_form

        list_form(FRESH, data.read(lines.lines_list))

    at = fine(AppTest.from_function(script).run())
    assert at.selectbox[0].options == ["Support \\(cannot call out yet\\)"]
    at.text_input[0].set_value("Autumn")
    at.number_input[0].set_value(0)
    button(at, "Save").click().run()
    method, path, body = sent[-1]
    assert (method, path) == ("POST", "/desk/dial-lists")
    made = routes.NewList.model_validate(body)
    assert (made.name, made.line_id, made.pause_s) == ("Autumn", desk.line, 0)

    def again() -> None:
        from aircall_core.ui.editors.dial_list import list_form

        list_form({"id": "list-1", "name": "Autumn", "line_id": "x", "pause_s": 5}, [])

    at = fine(AppTest.from_function(again).run())
    assert not at.selectbox
    sent.refusal = client.Refused("invalid", "Please check.", {"name": "Another list has this name."})
    button(at, "Save").click().run()
    assert sent[-1][:2] == ("PATCH", "/desk/dial-lists/list-1")
    assert routes.ListChange.model_validate(sent[-1][2]).pause_s == 5
    assert plain("Another list has this name.") in " ".join(one.value for one in at.markdown)


class Uploads(list[tuple[str, dict[str, str], bytes]]):
    """Stands for client.upload_told: what was sent, and the desk's answers."""

    answer: Mapping[str, Any]
    refusal: client.Refused | None = None

    def take(self, path: str, fields: Mapping[str, str], file: bytes, *, patience_s: float) -> Iterator[dict[str, Any]]:
        self.append((path, dict(fields), file))
        if self.refusal:
            raise self.refusal
        yield {"done": 1, "of": 2}
        yield {"report": self.answer}


@pytest.fixture
def uploads(monkeypatch: pytest.MonkeyPatch) -> Uploads:
    found = Uploads()
    row = {"line": 2, "number": "+33142685300", "name": "Ada", "note": "", "spoken": "01 42 68 53 00"}
    problem = {"line": 3, "code": "not_a_number", "text": "nobody · =Bo", "detail": ""}
    found.answer = {"rows": 2, "good": 1, "first": [row], "problems": [problem]}
    monkeypatch.setattr(client, "upload_told", found.take)
    return found


def import_page(data: str) -> AppTest:
    """The import's dialog by itself, with this file chosen."""

    def script() -> None:
        from aircall_core.ui.editors import dial_import

        dial_import.import_form("list-1")

    at = AppTest.from_function(script, default_timeout=60).run()
    at.file_uploader[0].set_value([("numbers.csv", data.encode(), "text/csv")]).run()
    return fine(at)


def test_a_file_is_checked_shown_and_imported(uploads: Uploads) -> None:
    at = import_page(FILE)
    assert uploads == [
        ("/desk/dial-lists/list-1/check", {"columns": '{"number": 0, "names": [1], "note": null}'}, FILE.encode())
    ]
    assert "2 rows · UTF-8 · separated by semicolons" in at.caption[0].value
    assert at.success[0].value == "1 numbers can be imported."
    first, wrong = (pd.DataFrame(one.value) for one in at.table)
    assert first.to_dict("records") == [{"Line": "2", "Number": "01 42 68 53 00", "Name": "Ada", "Note": ""}]
    assert wrong.to_dict("records") == [{"Line": 3, "Reason": "Not a telephone number", "Row": "nobody · =Bo"}]
    at.run()
    assert len(uploads) == 1  # what is known is not asked again
    button(at, "Import 1 numbers").click().run()
    assert uploads[-1][0] == "/desk/dial-lists/list-1/import"
    assert at.success[0].value == "1 numbers are on the list."
    button(at, "Go to the list").click().run()
    assert "dial-import-done-list-1" not in at.session_state  # the next import begins anew


def test_the_import_takes_the_place_of_the_list(desk: Desk, spring: str) -> None:
    at = fine(shell(desk, "supervisor", PAGE))
    button(at, "Import numbers").click().run()
    fine(at)
    assert not mounted(at)
    assert at.file_uploader
    button(at, "Back to the list").click().run()
    assert len(mounted(at)) == 1


def test_other_columns_are_checked_anew(uploads: Uploads) -> None:
    at = import_page("Fax;Name;Phone\n1;Ada;2\n")
    assert json.loads(uploads[-1][1]["columns"]) == {"number": 2, "names": [1], "note": None}
    at.selectbox[0].set_value(0).run()
    assert json.loads(uploads[-1][1]["columns"])["number"] == 0


def test_without_a_column_of_numbers_its_user_chooses(uploads: Uploads) -> None:
    at = import_page("a,b\nc,d\n")
    assert uploads == []
    at.selectbox[0].set_value(1).run()
    assert json.loads(uploads[-1][1]["columns"])["number"] == 1


def test_what_the_desk_refuses_is_said(uploads: Uploads) -> None:
    uploads.refusal = client.Refused("invalid", "Please check.", {"file": "There are no rows in this file."})
    assert import_page("phone\n").error[0].value == plain("There are no rows in this file.")
    assert not uploads[0][1]["columns"]


def test_every_reason_has_words() -> None:
    words = catalogue()["dialer"]
    assert [code for code in Code if f"why_{code.value}" not in words] == []


def test_an_upload_told_line_by_line(monkeypatch: pytest.MonkeyPatch) -> None:
    import httpx

    from aircall_core.ui.client import upload_told

    bodies = {
        "/ok": (200, b'{"done":1,"of":1}\n{"report":{}}\n'),
        "/midway": (200, b'{"done":1,"of":2}\n{"error":{"code":"archived","message":"It is archived."}}\n'),
        "/no": (422, b'{"error":{"code":"invalid","message":"No.","fields":{"file":"Choose a file."}}}'),
    }

    def desk(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/away":
            raise httpx.ConnectError("away")
        status, body = bodies[request.url.path]
        return httpx.Response(status, stream=httpx.ByteStream(body))

    http = httpx.Client(base_url="http://desk.test", transport=httpx.MockTransport(desk))
    monkeypatch.setattr(client, "_http", lambda: http)
    monkeypatch.setattr(client, "_as_the_user", dict)

    def told(path: str) -> list[dict[str, Any]]:
        return list(upload_told(path, {}, io.BytesIO(b"x").read(), patience_s=1))

    assert told("/ok") == [{"done": 1, "of": 1}, {"report": {}}]
    for path, code, fields in (
        ("/midway", "archived", {}),
        ("/away", "unreachable", {}),
        ("/no", "invalid", {"file": "Choose a file."}),
    ):
        with pytest.raises(client.Refused) as refused:
            told(path)
        shown = {name: plain(words) for name, words in fields.items()}
        assert (refused.value.code, refused.value.fields) == (code, shown), path
