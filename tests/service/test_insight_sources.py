"""Each kind of source against a stand-in that checks what it is sent, and against servers that misbehave."""

import asyncio
import base64
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from aircall_core import outward
from aircall_core.crm.port import LARGEST_ANSWER, Question, SourceError, is_same
from aircall_core.crm.sources import Opened
from aircall_core.domain.insight_kinds import KINDS, is_asked
from aircall_core.outward import Guard, OutwardError, is_public
from tests.support.crm import Asked, Reply, StandIn

QUESTION = Question(
    "+33611223344", "611223344", {"number": "+33611223344", "contact": None, "line": {"id": "l", "name": "Support"}}
)
TITLE = [{"type": "title", "text": "{{answer.name}}"}]


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    """A server that knows nobody until a test says otherwise."""
    with StandIn() as server:
        yield server


def card(kind: str, secret: str = "s3cret", *, times: int = 1, **settings: Any) -> list[dict[str, str]]:  # noqa: S107  no password of anything
    """What the source says of the caller, asked so many times."""

    async def run() -> list[dict[str, str]]:
        opened = Opened(kind, {"private": True, **settings}, secret)
        try:
            for _ in range(times - 1):
                await opened.card(QUESTION)
            return await opened.card(QUESTION)
        finally:
            await opened.close()

    return asyncio.run(run())


def why(kind: str = "http", **settings: Any) -> str:
    """Why the source has no answer."""
    with pytest.raises(SourceError) as failed:
        card(kind, **settings)
    return failed.value.code


# ---- a company's own service


def test_http_maps_an_answer_by_its_template(stand_in: StandIn) -> None:
    stand_in.script = Reply(body={"name": "Acme", "open": 2, "url": "https://crm.example/7"})
    lines = [
        {"type": "title", "text": "{{answer.name}}", "link": "{{answer.url}}"},
        {"type": "shortText", "label": "Called on", "text": "{{line.name}}"},
    ]
    address = f"{stand_in.address}/who?n={{{{number}}}}&c={{{{contact.name}}}}"
    assert card("http", address=address, auth="bearer", lines=lines) == [
        {"type": "title", "text": "Acme", "link": "https://crm.example/7"},
        {"type": "shortText", "text": "Support", "label": "Called on"},
    ]
    (asked,) = stand_in.asked
    assert (asked.method, asked.path, asked.query) == ("GET", "/who", {"n": "+33611223344"})
    assert asked.headers["authorization"] == "Bearer s3cret"


def test_http_posts_what_is_known_and_takes_a_card_as_it_is(stand_in: StandIn) -> None:
    contents = [{"type": "title", "text": "Hello"}, {"type": "shortText", "text": "x", "link": "javascript:alert(1)"}]
    stand_in.script = Reply(body={"contents": contents})
    opened: dict[str, Any] = {"address": stand_in.address, "method": "POST", "auth": "header", "name": "X-Key"}
    assert card("http", **opened) == [{"type": "title", "text": "Hello"}, {"type": "shortText", "text": "x"}]
    assert stand_in.asked[0].body == QUESTION.values
    assert stand_in.asked[0].headers["x-key"] == "s3cret"
    card("http", address=stand_in.address, auth="basic", name="desk")
    assert stand_in.asked[1].headers["authorization"] == f"Basic {base64.b64encode(b'desk:s3cret').decode()}"


@pytest.mark.parametrize(
    "reply", [Reply(404, {"error": "who?"}), Reply(204), Reply(200, {}), Reply(200, {"contents": "x"})]
)
def test_http_knows_nobody(stand_in: StandIn, reply: Reply) -> None:
    stand_in.script = reply
    assert card("http", address=stand_in.address) == []


# ---- what goes wrong


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (Reply(401), "signed_out"), (Reply(403), "forbidden"), (Reply(429), "too_many"), (Reply(500), "failed"),
        (Reply(400), "bad_request"), (Reply(302, headers={"location": "/other"}), "redirected"),
        (Reply(200, b"<html>"), "not_json"), (Reply(200, b"[" * 100_000), "not_json"),
        (Reply(200, "text"), "not_understood"),
        (Reply(200, b" " * (LARGEST_ANSWER + 1)), "too_large"),
    ],
)  # fmt: skip
def test_what_goes_wrong_has_a_name(stand_in: StandIn, reply: Reply, code: str) -> None:
    stand_in.script = reply
    assert why(address=stand_in.address, lines=TITLE) == code
    assert len(stand_in.asked) == 1  # nobody is asked twice, and no redirect is followed


@pytest.mark.parametrize("reply", [Reply(hang=True), Reply(drip=True)])
def test_who_is_slow_is_not_waited_for(stand_in: StandIn, reply: Reply, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aircall_core.crm.sources.PATIENCE_S", 0.3)
    stand_in.script = reply
    assert why(address=stand_in.address, lines=TITLE) == "too_slow"
    assert not stand_in.go_on.is_set()


def test_nobody_there() -> None:
    with StandIn() as gone:
        address = gone.address
    assert why(address=address) == "unreachable"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("hubspot", {"results": 7}), ("hubspot", {"results": [{"id": "1", "properties": "x"}]}), ("hubspot", []),
        ("salesforce", {"access_token": "t"}), ("zendesk", {"users": [3]}),
        ("zendesk", {"users": [{"id": "x", "phone": "+33611223344"}]}),
        ("pipedrive", {"data": {"items": [{"item": None}]}}), ("pipedrive", {"data": None}),
    ],
)  # fmt: skip
def test_an_answer_of_another_shape_is_not_understood(stand_in: StandIn, kind: str, body: Any) -> None:
    stand_in.script = Reply(body=body)
    assert why(kind, address=stand_in.address, email="a@b.example") == "not_understood"


# ---- the insides of networks


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "172.16.3.4", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "::1", "::", "fe80::1%eth0", "fd00::1", "ff02::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::1",
        "255.255.255.255", "not an address",
    ],
)  # fmt: skip
def test_addresses_of_the_inside(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700:4700::1111", "::ffff:1.1.1.1"])
def test_addresses_of_the_outside(address: str) -> None:
    assert is_public(address)


def test_the_inside_is_not_asked_unless_it_may_be(stand_in: StandIn) -> None:
    assert why(address=stand_in.address.replace("http:", "https:"), private=False) == "private_address"
    assert why(address="https://localhost:1/", private=False) == "private_address"
    assert why(address=stand_in.address, private=False) == "not_https"
    assert why(address="https://nobody.invalid/", private=False) == "no_such_host"
    assert stand_in.asked == []


def test_a_name_with_one_address_inside_is_refused_and_one_answer_counts(stand_in: StandIn) -> None:
    lookups: list[str] = []

    async def names(host: str, _: int) -> list[str]:
        lookups.append(host)
        return ["1.1.1.1", "127.0.0.1"] if len(lookups) == 1 else ["127.0.0.1"]

    async def run() -> httpx.Response:
        async with outward.client(resolve=names) as strict, outward.client(private=True, resolve=names) as lax:
            with pytest.raises(OutwardError, match="private_address"):
                await outward.fetch(strict, strict.build_request("GET", "https://crm.example/"), seconds=2, most=10)
            request = lax.build_request("GET", f"http://crm.example:{stand_in.port}/")
            return await outward.fetch(lax, request, seconds=2, most=10)

    assert asyncio.run(run()).status_code == 200
    assert lookups == ["crm.example"] * 2  # looked up once a request: the checked address is the one that is used
    assert stand_in.asked[0].headers["host"] == f"crm.example:{stand_in.port}"


def test_the_certificate_is_that_of_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[httpx.Request] = []

    async def way(self: object, request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200)

    async def names(*_: object) -> list[str]:
        return ["1.1.1.1"]

    monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", way)
    asyncio.run(Guard(resolve=names).handle_async_request(httpx.Request("GET", "https://crm.example/x")))
    assert str(sent[0].url) == "https://1.1.1.1/x"
    assert sent[0].headers["host"] == "crm.example"
    assert sent[0].extensions["sni_hostname"] == "crm.example"


# ---- CRMs, as their documentation shows their answers


def test_hubspot(stand_in: StandIn) -> None:
    found = {
        "id": "100451", "archived": False, "createdAt": "2024-01-17T19:55:04.281Z",
        "properties": {"firstname": "Marie", "lastname": "Dupont", "company": "Acme", "jobtitle": None,
                       "lifecyclestage": "customer", "mobilephone": "06 11 22 33 44"},
    }  # fmt: skip
    stranger = {"id": "7", "properties": {"firstname": "Somebody", "phone": "+44 611223344"}}
    stand_in.script = Reply(body={"total": 2, "results": [stranger, found]})
    assert card("hubspot", address=stand_in.address, portal="42") == [
        {"type": "title", "text": "Marie Dupont", "label": "HubSpot",
         "link": "https://app.hubspot.com/contacts/42/record/0-1/100451"},
        {"type": "shortText", "text": "Acme", "label": "Company"},
        {"type": "shortText", "text": "customer", "label": "Stage"},
    ]  # fmt: skip
    (asked,) = stand_in.asked
    assert (asked.method, asked.path) == ("POST", "/crm/v3/objects/contacts/search")
    assert asked.headers["authorization"] == "Bearer s3cret"
    groups = asked.body["filterGroups"]
    assert len(groups) <= 5  # HubSpot's limit
    assert {(one["filters"][0]["propertyName"], one["filters"][0]["value"]) for one in groups} >= {
        ("phone", "+33611223344"), ("hs_searchable_calculated_phone_number", "611223344"),
    }  # fmt: skip
    stand_in.script = Reply(body={"total": 0, "results": []})
    assert card("hubspot", address=stand_in.address) == []


def test_salesforce_signs_in_once_and_again_when_it_must(stand_in: StandIn) -> None:
    tokens = iter(["first", "second"])
    valid = {"Bearer first"}

    def script(asked: Asked) -> Reply:
        if asked.path == "/services/oauth2/token":
            assert asked.body == {"grant_type": "client_credentials", "client_id": "app", "client_secret": "s3cret"}
            return Reply(
                body={"access_token": next(tokens), "instance_url": "https://elsewhere.example", "token_type": "Bearer"}
            )
        if asked.headers["authorization"] not in valid:
            return Reply(401, [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}])
        record = {
            "attributes": {"type": "Contact", "url": "/services/data/v61.0/sobjects/Contact/003"}, "Id": "003",
            "Name": "Marie Dupont", "Phone": "(0)6.11.22.33.44", "Title": "CTO",
            "Account": {"attributes": {"type": "Account"}, "Name": "Acme"},
            "Owner": {"attributes": {"type": "Name"}, "Name": "Bo Lind", "Email": "Bo@Example.com"},
        }  # fmt: skip
        if sum(one.path.endswith("parameterizedSearch") for one in stand_in.asked) == 2:
            valid.clear()
            valid.add("Bearer second")
            return Reply(401)
        return Reply(body={"searchRecords": [{**record, "Phone": "+1 611 223 3440", "Name": "Somebody"}, record]})

    stand_in.script = script
    lines = card("salesforce", address=stand_in.address, client_id="app", times=2)
    assert (
        lines
        == [
            {"type": "title", "text": "Marie Dupont", "label": "Contact"},
            {"type": "shortText", "text": "CTO", "label": "Role"},
            {"type": "shortText", "text": "Acme", "label": "Account"},
            {"type": "user", "text": "Bo Lind", "label": "Owner", "email": "bo@example.com"},
        ]
        or lines[0].pop("link") == f"{stand_in.address}/003"
    )
    paths = [one.path.rsplit("/", 1)[-1] for one in stand_in.asked]
    assert paths == ["token", *["parameterizedSearch"] * 2, "token", "parameterizedSearch"]
    search = stand_in.asked[1].body
    assert (search["q"], search["in"], [one["name"] for one in search["sobjects"]]) == (
        "611223344", "PHONE", ["Contact", "Account", "Lead"],
    )  # fmt: skip


def test_salesforce_with_a_wrong_client(stand_in: StandIn) -> None:
    stand_in.script = Reply(400, {"error": "invalid_client"})
    assert why("salesforce", address=stand_in.address, client_id="app") == "signed_out"


def test_zendesk(stand_in: StandIn) -> None:
    def script(asked: Asked) -> Reply:
        if asked.path == "/api/v2/users/search.json":
            user = {"id": 35436, "name": "Marie Dupont", "phone": "+33611223344", "notes": "", "role": "end-user"}
            stranger = {"id": 1, "name": "Somebody", "phone": "+336112233441"}
            return Reply(body={"users": [stranger, user], "count": 2, "next_page": None})
        return Reply(body={"count": 3})

    stand_in.script = script
    assert card("zendesk", address=stand_in.address, email="desk@acme.example") == [
        {"type": "title", "text": "Marie Dupont", "label": "Zendesk", "link": f"{stand_in.address}/agent/users/35436"},
        {"type": "shortText", "text": "3", "label": "Open tickets"},
    ]
    user, tickets = stand_in.asked
    assert user.query == {"query": 'phone:"+33611223344"'}
    assert (tickets.path, tickets.query) == (
        "/api/v2/search/count.json", {"query": "type:ticket requester:35436 status<solved"},
    )  # fmt: skip
    opened = base64.b64encode(b"desk@acme.example/token:s3cret").decode()
    assert {one.headers["authorization"] for one in stand_in.asked} == {f"Basic {opened}"}


def test_pipedrive(stand_in: StandIn) -> None:
    only_strangers = False

    def script(asked: Asked) -> Reply:
        if asked.path == "/api/v2/persons/search":
            person = {"id": 1, "type": "person", "name": "Marie Dupont", "phones": ["+33 6 11 22 33 44"],
                      "owner": {"id": 1}, "organization": {"id": 9, "name": "Acme", "address": None}}  # fmt: skip
            stranger = {"id": 2, "name": "Somebody", "phones": ["+33 6 11 22 33 44 5", "0033 1 61 12 23 34 4"]}
            items = [{"result_score": 0.9, "item": stranger}, {"result_score": 0.5, "item": person}]
            return Reply(body={"success": True, "data": {"items": items[: 1 if only_strangers else 2]}})
        return Reply(
            body={"success": True, "data": [{"id": 5, "title": "Pumps", "value": 900}, {"id": 4, "title": "Old"}]}
        )

    stand_in.script = script
    assert card("pipedrive", address=stand_in.address) == [
        {"type": "title", "text": "Marie Dupont", "label": "Pipedrive", "link": f"{stand_in.address}/person/1"},
        {"type": "shortText", "text": "Acme", "label": "Organisation"},
        {"type": "shortText", "text": "2", "label": "Open deals"},
        {"type": "shortText", "text": "Pumps", "label": "Newest deal", "link": f"{stand_in.address}/deal/5"},
    ]
    assert stand_in.asked[0].query == {"term": "611223344", "fields": "phone", "limit": "20"}
    assert stand_in.asked[1].query["person_id"] == "1"
    assert {one.headers["x-api-token"] for one in stand_in.asked} == {"s3cret"}
    only_strangers = True
    assert card("pipedrive", address=stand_in.address) == []


@pytest.mark.parametrize(
    ("typed", "same"),
    [
        ("+33611223344", True), ("0033 6 11 22 33 44", True), ("06-11-22-33-44", True), ("611223344", True),
        ("+33 (0)6 11 22 33 44", True), ("+44 611223344", False), ("06 11 22 33 45", False), ("0611223344 5", False),
        ("3344", False), ("", False),
    ],
)  # fmt: skip
def test_a_number_is_the_callers_however_it_is_written(typed: str, same: bool) -> None:
    assert is_same(typed, "+33611223344") is same


def test_crms_are_asked_about_customers_alone() -> None:
    assert [kind for kind in KINDS if is_asked(kind, "112")] == ["http"]
    assert [kind for kind in KINDS if is_asked(kind, "")] == []
    assert [kind for kind in KINDS if not is_asked(kind, "+33611223344")] == ["rules", "posted"]


def test_every_kind_can_be_opened() -> None:
    async def run() -> None:
        for kind in KINDS.values():
            if kind.address:
                await Opened(kind.name, {"address": kind.address}, "").close()

    asyncio.run(run())
