"""The power dialer over HTTP: who may do what, files in chunks, and a page that goes away."""

import json
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from aircall_core.desk import dial_entries, dial_lists, do_not_call
from aircall_core.domain import dial_file
from aircall_core.ids import new_id
from aircall_core.service.due import JOBS, Runner
from aircall_core.store import audit as audit_rows
from aircall_core.store import provisioning
from aircall_core.store import tables as t
from tests.service.conftest import World
from tests.support import desk_kit

FILE = "Phone;Name;Note\n01 42 68 53 00;Ada;\nnobody;Bo;\n01 42 68 53 01;Cy;boiler\n0142685300;Ada again;\n"


@dataclass
class House:
    """A company with a leader, an agent of the line, one of another line, and a list."""

    world: World
    line: str
    people: dict[str, str]
    list_id: str = ""

    def ask(self, who: str, method: str, path: str, **given: Any) -> httpx.Response:
        """A request; /{list} is the list."""
        return self.world.ask(method, path.replace("{list}", self.list_id), self.people[who], **given)

    def post(self, who: str, path: str, **body: Any) -> httpx.Response:
        return self.ask(who, "POST", path, json=body)

    def send(self, path: str, data: bytes | str, who: str = "Leader", **fields: str) -> httpx.Response:
        """A file for the list."""
        file = data.encode() if isinstance(data, str) else data
        return self.ask(who, "POST", f"/desk/dial-lists/{{list}}/{path}", data=fields, files={"file": ("f", file)})

    def report(self, path: str, data: bytes | str, **fields: str) -> dict[str, Any]:
        answer = self.send(path, data, **fields)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = json.loads(answer.text.splitlines()[-1])["report"]
        return found

    def shown(self, which: str = "waiting", **query: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.ask(
            "Ada", "GET", "/desk/dial-lists/{list}/entries", params={"show": which, **query}
        ).json()["entries"]
        return found


@pytest.fixture
def house(world: World) -> House:
    with world.store.write() as tx:
        line = desk_kit.add_line(tx)
        other = desk_kit.add_line(tx, number="+33123456780")
    people = {
        "Leader": world.user("Leader", "supervisor"),
        "Ada": world.user("Ada", lines=(line,)),
        "Stranger": world.user("Stranger", lines=(other,)),
        "Analyst": world.user("Analyst", "analyst"),
    }
    made = House(world, line, people)
    made.list_id = made.post("Leader", "/desk/dial-lists", name="Spring", line_id=line).json()["id"]
    return made


def test_leaders_fill_lists_and_agents_dial_them(house: House) -> None:
    assert house.post("Ada", "/desk/dial-lists", name="Mine", line_id=house.line).status_code == 403
    added = house.post("Ada", "/desk/dial-lists/{list}/entries", number="01 42 68 53 00", name="Zoé")
    assert added.status_code == 201
    (shown,) = house.ask("Ada", "GET", "/desk/dial-lists").json()["lists"]
    assert (shown["name"], shown["total"], shown["left"], shown["line_dials"]) == ("Spring", 1, 1, False)
    entry = house.post("Ada", "/desk/dial-lists/{list}/next").json()["entry"]
    assert (entry["id"], entry["name"], entry["spoken"]) == (added.json()["id"], "Zoé", "01 42 68 53 00")
    assert house.ask("Ada", "GET", "/desk/dial-lists/{list}").json()["mine"]["id"] == entry["id"]
    assert house.ask("Leader", "GET", "/desk/dial-lists/{list}").json()["mine"] is None
    path = f"/desk/dial-entries/{entry['id']}"
    assert house.post("Ada", f"{path}/keep").status_code == 204
    assert house.post("Ada", f"{path}/move", to="first").status_code == 403
    assert house.post("Ada", f"{path}/skip", reason="wrong_number").status_code == 204
    assert house.post("Ada", f"{path}/keep").json()["error"]["code"] == "not_claimed"
    assert [one["reason"] for one in house.shown("skipped")] == ["wrong_number"]
    assert house.post("Ada", f"{path}/again").status_code == 204
    assert house.post("Ada", f"{path}/do-not-call", note="Asked for it").status_code == 204
    assert house.post("Ada", "/desk/dial-lists/{list}/next").json() == {"entry": None}
    assert house.post("Leader", f"{path}/remove").status_code == 204
    assert house.ask("Ada", "GET", path).status_code == 404


def test_lists_of_other_lines_are_not_there(house: House) -> None:
    entry = house.post("Ada", "/desk/dial-lists/{list}/entries", number="01 42 68 53 00").json()["id"]
    assert house.ask("Stranger", "GET", "/desk/dial-lists").json() == {"lists": []}
    for method, path in (
        ("GET", "/desk/dial-lists/{list}"),
        ("GET", "/desk/dial-lists/{list}/entries"),
        ("POST", "/desk/dial-lists/{list}/next"),
        ("GET", f"/desk/dial-entries/{entry}"),
        ("POST", f"/desk/dial-entries/{entry}/keep"),
        ("GET", f"/desk/dial-entries/{new_id()}"),
    ):
        assert house.ask("Stranger", method, path).status_code == 404, path
        assert house.ask("Analyst", method, path).status_code == 403, path


def test_a_plan_without_the_dialer_says_so(house: House) -> None:
    with house.world.store.write() as tx:
        provisioning.put_setting(tx.conn, "plan", {"plan": "essentials", "add_ons": [], "trial_until": None})
    for who, method, path in (
        ("Ada", "GET", "/desk/dial-lists"),
        ("Ada", "GET", "/desk/dial-lists/{list}"),
        ("Ada", "POST", "/desk/dial-lists/{list}/next"),
        ("Leader", "POST", "/desk/dial-lists/{list}/check"),
    ):
        answer = house.ask(who, method, path)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "plan"), path
        assert "Settings, Plan" in answer.json()["error"]["message"]


def test_what_lists_are_asked_for_is_checked(house: House) -> None:
    assert house.ask("Ada", "GET", "/desk/dial-lists/{list}/entries?show=all").status_code == 400
    assert house.ask("Ada", "GET", "/desk/dial-lists/{list}/entries?skip=-1").status_code == 400
    assert house.ask("Leader", "PATCH", "/desk/dial-lists/{list}", json={"pause_s": 999}).status_code == 422
    assert house.ask("Leader", "PATCH", "/desk/dial-lists/{list}", json={"pause_s": 0}).status_code == 200
    assert house.ask("Ada", "GET", "/desk/dial-lists/{list}").json()["list"]["pause_s"] == 0


def test_a_file_is_looked_at_before_it_is_taken_in(house: House) -> None:
    seen = house.report("check", FILE)
    assert house.shown() == []
    assert (seen["rows"], seen["good"]) == (4, 2)
    assert seen["first"][0] == {
        "line": 2, "number": "+33142685300", "name": "Ada", "note": "", "spoken": "01 42 68 53 00"
    }  # fmt: skip
    assert [(one["line"], one["code"], one["detail"]) for one in seen["problems"]] == [
        (3, "not_a_number", ""),
        (5, "twice", "2"),
    ]
    assert house.report("import", FILE) == seen
    assert [(one["name"], one["note"]) for one in house.shown()] == [("Ada", ""), ("Cy", "boiler")]
    again = house.report("import", FILE)
    assert again["good"] == 0
    assert [one["code"] for one in again["problems"]] == ["listed", "not_a_number", "listed", "twice"]
    with house.world.store.read() as conn:
        noted = [row for row in audit_rows.entries(conn, search="", limit=10) if row["action"] == "dial_list.imported"]
    assert [row["changes"]["numbers"] for row in noted] == [[None, 2]]


def test_numbers_that_may_not_be_dialled_stay_out(house: House) -> None:
    with house.world.store.write() as tx:
        do_not_call.add(tx, "system", "+33142685309")
    lines = ["phone", "0899123456", "+7 495 123-45-67", "112", "0142685309", "01 23 45 67 89", "0142685301"]
    seen = house.report("import", "\n".join(lines))
    assert [(one["line"], one["code"], one["detail"]) for one in seen["problems"]] == [
        (2, "refused", "premium"),
        (3, "refused", "country"),
        (4, "refused", "emergency"),
        (5, "do_not_call", ""),
        (6, "refused", "own_number"),
    ]
    assert [one["number"] for one in house.shown()] == ["+33142685301"]


def test_columns_may_be_chosen(house: House) -> None:
    text = "Fax;Who;Phone\n0142685300;Ada;0142685301\n"
    assert house.report("check", text)["first"][0]["number"] == "+33142685301"
    chosen = json.dumps({"number": 0, "names": [1], "note": None})
    first = house.report("check", text, columns=chosen)["first"][0]
    assert (first["number"], first["name"]) == ("+33142685300", "Ada")
    for wrong in ("nonsense", "[]", '{"number": 9}', '{"number": "0"}', '{"number": true}', "[" * 9000):
        assert house.send("check", text, columns=wrong[:1000]).status_code == 422


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "Choose a file."),
        (b"phone\n", "There are no rows in this file."),
        (b"PK\x03\x04", "This is a spreadsheet's own format. Save it as CSV there, and choose that file."),
        (b"name\nAda\n", "No column of this file looks like telephone numbers."),
        (b"phone\n" + b"1\n" * (dial_file.MOST_ROWS + 1), "Choose a file of at most 50,000 rows."),
    ],
)
def test_files_that_cannot_be_read_are_refused_in_words(house: House, data: bytes, said: str) -> None:
    answer = house.send("check", data)
    assert answer.status_code == 422
    assert answer.json()["error"]["fields"]["file"] == said


def test_uploads_are_limited_and_for_leaders(house: House) -> None:
    assert house.send("import", b"0" * (dial_file.LARGEST + 65 * 1024)).status_code == 413
    assert house.send("import", b"0" * (dial_file.LARGEST + 1)).status_code == 422
    assert house.send("import", FILE, who="Ada").status_code == 403
    assert house.ask("Leader", "POST", "/desk/dial-lists/{list}/import", json={"x": 1}).status_code in (400, 422)
    assert house.shown() == []


def test_a_long_file_tells_how_far_it_is(house: House) -> None:
    text = "phone\n" + "\n".join(f"014268{n:04}" for n in range(450))
    lines = [json.loads(line) for line in house.send("import", text).text.splitlines()]
    assert [(one["done"], one["of"]) for one in lines[:-1]] == [(200, 450), (400, 450), (450, 450)]
    assert lines[-1]["report"]["good"] == 450
    assert len(house.shown()) == 20
    assert [one["number"] for one in house.shown(skip=440)] == [f"+3314268{n:04}" for n in range(440, 450)]


def test_a_list_that_is_archived_meanwhile_ends_an_import(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    real = dial_lists.take

    def then_archived(tx: Any, actor: str, list_id: str, rows: Any) -> Any:
        done = real(tx, actor, list_id, rows)
        tx.execute(update(t.dial_lists).values(archived=True))
        return done

    monkeypatch.setattr(dial_lists, "take", then_archived)
    text = "phone\n" + "\n".join(f"014268{n:04}" for n in range(450))
    lines = [json.loads(line) for line in house.send("import", text).text.splitlines()]
    assert lines[-1]["error"]["code"] == "archived"
    assert house.shown()[0]["number"] == "+33142680000"
    with house.world.store.read() as conn:
        (noted,) = [one for one in audit_rows.entries(conn) if one["action"] == "dial_list.imported"]
    assert noted["changes"] == {"numbers": [None, 200]}  # what was taken in by then
    assert house.post("Ada", "/desk/dial-lists/{list}/next").json()["error"]["code"] == "archived"


@pytest.fixture
def runner(house: House) -> Runner:
    return Runner(house.world.store, house.world.desk.settings, lambda: None, JOBS)


def test_the_claim_of_a_closed_page_goes_back_by_itself(house: House, runner: Runner) -> None:
    house.report("import", FILE)
    entry = house.post("Ada", "/desk/dial-lists/{list}/next").json()["entry"]
    runner.once()
    assert house.ask("Ada", "GET", "/desk/dial-lists/{list}").json()["mine"]["id"] == entry["id"]
    with house.world.store.write() as tx:
        tx.execute(update(t.dial_entries).values(lease_until=1))
        tx.execute(update(t.due).where(t.due.c.kind == dial_entries.CLAIM).values(due_at=1))
    runner.once()
    assert house.ask("Ada", "GET", "/desk/dial-lists/{list}").json()["mine"] is None
    assert {one["state"] for one in house.shown()} == {"waiting"}
