"""Contacts over HTTP: who may do what, files in chunks, and the erasing that goes on after the answer."""

import itertools
import json
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from aircall_core.desk import contact_import
from aircall_core.desk.errors import DeskError
from aircall_core.service.due import Runner
from aircall_core.store import StoreAway
from aircall_core.store import audit as audit_rows
from aircall_core.store import contacts as rows
from aircall_core.store import tables as t
from tests.service.conftest import World
from tests.support.desk_kit import add_line

FILE = (
    "Name;Phone;E-mail;Company\nZoë;01 42 68 53 00;zoe@example.com;\nnobody;;;\nBo;12;;Acme\n;x;;\n"
    "Z. again;0142685300;;Acme\n"
)


@pytest.fixture
def people(world: World) -> dict[str, str]:
    with world.store.write() as tx:
        add_line(tx)
    return {role: world.user(role, role) for role in ("administrator", "supervisor", "agent", "analyst")}


def ask(world: World, who: str, method: str, path: str, **given: Any) -> httpx.Response:
    return world.ask(method, path, world.users[who], **given)


def send(world: World, path: str, data: str, **fields: str) -> dict[str, Any]:
    answer = ask(
        world, "supervisor", "POST", f"/desk/contacts/{path}", data=fields, files={"file": ("f", data.encode())}
    )
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = json.loads(answer.text.splitlines()[-1])["report"]
    return found


@pytest.mark.usefixtures("people")
def test_from_adding_to_erasing(world: World) -> None:
    made = ask(
        world, "agent", "POST", "/desk/contacts", json={"name": "Zoë", "numbers": [{"number": "01 42 68 53 00"}]}
    )
    assert made.status_code == 201, made.text
    path = f"/desk/contacts/{made.json()['id']}"
    changed = ask(world, "agent", "PATCH", path, json={"company": "Acme", "version": 1})
    assert changed.json()["version"] == 2
    late = ask(world, "agent", "PATCH", path, json={"company": "Globex", "version": 1})
    assert (late.status_code, late.json()["error"]["code"]) == (409, "changed")
    assert ask(world, "agent", "PATCH", path, json={"priority": 1}).status_code == 403
    wrong = ask(world, "agent", "PATCH", path, json={"emails": [{"email": "nobody"}]})
    assert list(wrong.json()["error"]["fields"]) == ["emails"]
    found = ask(world, "analyst", "GET", path).json()
    assert (found["company"], found["numbers"][0]["spoken"]) == ("Acme", "01 42 68 53 00")
    page = ask(world, "analyst", "GET", "/desk/contacts", params={"search": "acm"}).json()
    assert [one["name"] for one in page["contacts"]] == ["Zoë"]
    assert ask(world, "analyst", "GET", "/desk/contacts", params={"after": "nonsense"}).status_code == 400
    assert ask(world, "agent", "DELETE", path, json={"confirm": "Zoë"}).status_code == 403
    assert ask(world, "supervisor", "DELETE", path, json={"confirm": "Zoe?"}).status_code == 422
    gone = ask(world, "supervisor", "DELETE", path, json={"confirm": "zoë"})
    assert gone.status_code == 202
    assert ask(world, "agent", "GET", path).status_code == 404
    assert ask(world, "supervisor", "GET", "/desk/erasures").json()["erasures"][0]["id"] == gone.json()["erasure"]
    Runner(world.store, world.desk.settings, lambda: None).once(slow=True)
    assert ask(world, "supervisor", "GET", "/desk/erasures").json() == {"erasures": []}


@pytest.mark.usefixtures("people")
def test_merging_and_parting(world: World) -> None:
    one, two = (
        ask(world, "agent", "POST", "/desk/contacts", json={"name": name}).json()["id"] for name in ("One", "Two")
    )
    merge = ask(world, "agent", "POST", f"/desk/contacts/{one}/merge", json={"with": two}).json()["merge"]
    assert ask(world, "agent", "GET", f"/desk/contacts/{two}").status_code == 404
    assert ask(world, "agent", "GET", f"/desk/contacts/{one}").json()["merges"][0]["name"] == "Two"
    assert ask(world, "agent", "POST", f"/desk/contact-merges/{merge}/undo", json={}).json() == {"contact": two}


@pytest.mark.usefixtures("people")
def test_a_file_is_looked_at_and_taken_in_once(world: World) -> None:
    looked = send(world, "check", FILE)
    assert (looked["created"], looked["skipped"], looked["columns"]) == (3, 1, ["name", "number", "email", "company"])
    told = [(one["line"], one["code"], one["kept"]) for one in looked["problems"]]
    assert told == [(4, "number", True), (5, "number", False)]
    with world.store.read() as conn:
        assert rows.count(conn) == 0  # only looked
    taken = send(world, "import", FILE, same="merge")
    assert (taken["created"], taken["merged"]) == (3, 1)
    names = [one["name"] for one in ask(world, "agent", "GET", "/desk/contacts").json()["contacts"]]
    assert names == ["Bo", "nobody", "Zoë"]
    zoe = ask(world, "agent", "GET", "/desk/contacts", params={"search": "zoe"}).json()["contacts"][0]
    assert zoe["company"] == "Acme"  # the row below gave what was lacking
    again = send(world, "import", FILE, same="merge")
    assert (again["created"], again["merged"], again["skipped"]) == (
        2,
        0,
        2,
    )  # those without a number are new each time
    beside = send(world, "import", "Name;Phone\nZoë II;0142685300\n;0142685300\n", same="new")
    assert (beside["created"], [one["code"] for one in beside["problems"]]) == (1, ["taken"])
    left = send(world, "import", FILE, same="skip")
    assert left["skipped"] == 2


@pytest.mark.usefixtures("people")
def test_columns_are_chosen_and_cards_need_none(world: World) -> None:
    chosen = json.dumps(["company", "number", "", "name"])
    report = send(world, "import", FILE, columns=chosen)
    assert report["columns"] == json.loads(chosen)
    cards = "BEGIN:VCARD\nVERSION:3.0\nFN:Ada\nTEL;TYPE=cell:+33612345678\nEND:VCARD\n"
    assert send(world, "import", cards)["created"] == 1
    for columns in ('["phone"]', "[1,2,3,4]", "{"):
        files = {"file": ("f", FILE.encode())}
        wrong = ask(world, "supervisor", "POST", "/desk/contacts/check", data={"columns": columns}, files=files)
        assert list(wrong.json()["error"]["fields"]) == ["columns"]


@pytest.mark.usefixtures("people")
def test_many_rows_in_short_transactions(world: World) -> None:
    data = "Name,Phone\n" + "".join(f"Person {at},+3314{at:07}\n" for at in range(1_000))
    answer = ask(world, "supervisor", "POST", "/desk/contacts/import", files={"file": ("f", data.encode())})
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert [one["done"] for one in lines[:-1]] == [200, 400, 600, 800, 1000]
    assert lines[-1]["report"]["created"] == 1_000
    with world.store.read() as conn:
        assert conn.scalar(select(func.count()).select_from(t.contact_phones)) == 1_000
        told = conn.scalar(select(func.count()).select_from(t.events).where(t.events.c.kind == "contact.changed"))
    assert told == 1_000 / contact_import.CHUNK  # one a transaction
    page = ask(world, "agent", "GET", "/desk/contacts", params={"search": "person 77"}).json()
    assert len(page["contacts"]) >= 1


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize("why", [DeskError("gone", "It is gone."), StoreAway("away")])
def test_an_import_that_stops_is_in_the_audit_log_with_what_it_brought(
    world: World, monkeypatch: pytest.MonkeyPatch, why: Exception
) -> None:
    real, calls = contact_import.take, itertools.count(1)

    def stops(*given: Any) -> Any:
        came = real(*given)
        if next(calls) == 3:
            raise why  # and all of the third chunk is undone
        return came

    monkeypatch.setattr(contact_import, "take", stops)
    data = "Name,Phone\n" + "".join(f"Person {at},+3314{at:07}\n" for at in range(200))
    answer = ask(world, "supervisor", "POST", "/desk/contacts/import", files={"file": ("f", data.encode())})
    last = json.loads(answer.text.splitlines()[-1])
    assert last["error"]["code"] in ("gone", "store_away")
    with world.store.read() as conn:
        assert rows.count(conn) == 2 * contact_import.CHUNK
        (noted,) = [one for one in audit_rows.entries(conn) if one["action"] == "contacts.imported"]
    assert noted["changes"] == {"created": [None, 2 * contact_import.CHUNK], "merged": [None, 0]}
