"""A fake desk whose contacts are real ones, in a store of their own, so that browsers see what the use cases do."""

import json
from collections.abc import Callable
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from aircall_core.desk import contact_fields, contact_merges, contacts, erasure
from aircall_core.desk.errors import DeskError
from aircall_core.service.endpoint import desk_error
from aircall_core.store import Store
from aircall_core.store import contacts as rows
from aircall_core.store.queries import contacts as queries
from tests.support.fake_desk import ME, FakeDesk

ACTOR = f"user:{ME}"


class FakeContacts(FakeDesk):
    """`make` fills the store; the rest is the browser's."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self.store = store

    def make(self, **given: Any) -> str:
        """A contact; its id."""
        with self.store.write() as tx:
            return contacts.create(tx, ACTOR, given)

    def listed(self) -> list[dict[str, Any]]:
        """All contacts."""
        with self.store.read() as conn:
            return rows.page(conn, None, 1000)

    def edit(self, contact: str, **given: Any) -> None:
        """A colleague changes a contact; everybody is told."""
        with self.store.write() as tx:
            contacts.change(tx, "user:colleague", contact, given)
        self.event("contact.changed", None, contact=contact, what="changed")

    def field(self, **given: Any) -> str:
        """A custom field; its id."""
        with self.store.write() as tx:
            return contact_fields.create(tx, ACTOR, given)

    def shown(self, contact: str) -> dict[str, Any] | None:
        """A contact as it is now."""
        with self.store.read() as conn:
            return queries.one(conn, contact, "FR")

    def _app(self) -> Starlette:
        app = super()._app()
        app.router.routes[:0] = [
            self._route("/desk/contacts", self._list),
            self._route("/desk/contacts", self._create, "POST"),
            self._route("/desk/contacts/{id}", self._one),
            self._route("/desk/contacts/{id}", self._change, "PATCH"),
            self._route("/desk/contacts/{id}", self._erase, "DELETE"),
            self._route("/desk/contacts/{id}/merge", self._merge, "POST"),
            self._route("/desk/contact-merges/{id}/undo", self._undo, "POST"),
            self._route("/desk/erasures", self._erasures),
        ]
        return app

    def _route(self, path: str, answer: Callable[[Request, dict[str, Any]], Any], method: str = "GET") -> Route:
        async def serve(request: Request) -> Response:
            if request.url.path in self.refusals:
                status, body = self.refusals[request.url.path]
                return JSONResponse(body, status)
            body = json.loads(await request.body() or b"{}")
            self.requests.append((request.url.path, body or dict(request.query_params)))
            try:
                found = await run_in_threadpool(answer, request, body)
            except DeskError as wrong:
                return desk_error(wrong)
            if method != "GET":
                changed = request.path_params.get("id")
                await run_in_threadpool(self.event, "contact.changed", contact=changed, what="changed")
            return JSONResponse(found)

        return Route(path, serve, methods=[method])

    def _list(self, request: Request, _: dict[str, Any]) -> Any:
        asked = request.query_params
        with self.store.read() as conn:
            found = queries.page(conn, asked.get("search", ""), asked.get("after", ""), int(asked["limit"]), "FR")
            return {**found, "total": rows.count(conn)}

    def _one(self, request: Request, _: dict[str, Any]) -> Any:
        with self.store.read() as conn:
            contact = contacts.found(conn, request.path_params["id"])["id"]
            return {
                **(queries.one(conn, contact, "FR") or {}), "fields": contact_fields.read(conn),
                "conversations": queries.last(conn, contact, ME, "administrator"),
                "merges": contact_merges.of_contact(conn, contact),
            }  # fmt: skip

    def _create(self, _: Request, body: dict[str, Any]) -> Any:
        return {"id": self.make(**body)}

    def _change(self, request: Request, body: dict[str, Any]) -> Any:
        version = body.pop("version", None)
        with self.store.write() as tx:
            return {"version": contacts.change(tx, ACTOR, request.path_params["id"], body, version)}

    def _merge(self, request: Request, body: dict[str, Any]) -> Any:
        with self.store.write() as tx:
            return {"merge": contact_merges.merge(tx, ACTOR, request.path_params["id"], body["with"])}

    def _undo(self, request: Request, _: dict[str, Any]) -> Any:
        with self.store.write() as tx:
            return {"contact": contact_merges.undo(tx, ACTOR, request.path_params["id"])}

    def _erase(self, request: Request, body: dict[str, Any]) -> Any:
        with self.store.write() as tx:
            return {"erasure": erasure.contact(tx, ACTOR, request.path_params["id"], body["confirm"])}

    def _erasures(self, _: Request, __: dict[str, Any]) -> Any:
        with self.store.read() as conn:
            return {"erasures": erasure.under_way(conn)}
