"""Signing in and out: plain HTML pages of our own, which need no script, and the same by JSON for scripts."""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import jinja2
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse, Response

from aircall_core.desk import company, passwords, people, sessions
from aircall_core.desk.errors import DeskError, Invalid, not_found
from aircall_core.desk.sessions import SignedIn
from aircall_core.service.answers import Refused
from aircall_core.service.desk import Desk
from aircall_core.service.endpoint import Ask, identify
from aircall_core.store import accounts, clock
from aircall_core.store import sessions as session_rows

_FOLDER: Final = Path(__file__).parent / "pages"
_ASSETS: Final = {"page.css": "text/css", "page.js": "text/javascript"}
_VERSION: Final = hashlib.sha256(b"".join((_FOLDER / name).read_bytes() for name in _ASSETS)).hexdigest()[:10]
_templates = jinja2.Environment(
    loader=jinja2.FileSystemLoader(_FOLDER), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
)


class SessionToEnd(BaseModel):
    """One of the asker's sessions."""

    session: str = Field(max_length=64)


@dataclass
class Form:
    """What a form was sent with, and what is wrong with it. Passwords are never shown again."""

    values: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    problem: str = ""
    is_json: bool = False

    def get(self, name: str) -> str:
        """A field's text, '' when it was not sent."""
        return self.values.get(name, "")

    def take(self, wrong: DeskError) -> None:
        """Put what a use case said to where it belongs."""
        if isinstance(wrong, Invalid):
            self.errors = dict(wrong.details["fields"])  # type: ignore[call-overload]
        elif wrong.code == "wrong_credentials":
            self.errors = {"password": wrong.message}
        else:
            self.problem = wrong.message


# ---- sign in, sign out


def login_page(ask: Ask) -> Response:
    """GET /session/login?next="""
    target = ask.request.query_params.get("next", "")
    if identify(ask.desk, ask.request) is not None:
        return RedirectResponse(_way_back(ask, target), 303)
    return _login(ask, Form({"next": target}))


async def login(ask: Ask) -> Response:
    """POST /session/login"""
    form = await _form(ask.request)
    return await run_in_threadpool(_sign_in, ask, form)


def _sign_in(ask: Ask, form: Form) -> Response:
    counter = ask.desk.metrics.sign_ins
    try:
        signed_in = sessions.sign_in(
            ask.desk.store,
            form.get("email"),
            form.get("password"),
            address=ask.request.client.host if ask.request.client else "",
            agent=ask.request.headers.get("user-agent", ""),
            longest_days=ask.desk.settings.session_days,
        )
    except DeskError as wrong:
        counter.labels(wrong.code).inc()
        if form.is_json:
            raise
        form.take(wrong)
        answer = _login(ask, form, wrong.status)
        if "retry_s" in wrong.details:
            answer.headers["retry-after"] = str(wrong.details["retry_s"])
        return answer
    counter.labels("ok").inc()
    return _welcome(ask, signed_in, form)


async def logout(ask: Ask) -> Response:
    """POST /session/logout: ends this session, in all its tabs."""
    return await run_in_threadpool(_sign_out, ask)


def _sign_out(ask: Ask) -> Response:
    who = identify(ask.desk, ask.request)
    if who is not None:
        with ask.desk.store.write() as tx:
            sessions.revoke(tx, who.user_id, who.session_id, f"user:{who.user_id}")
    answer = Response(status_code=204) if _wants_json(ask.request) else RedirectResponse("/session/login", 303)
    answer.delete_cookie(ask.desk.cookie, path="/", httponly=True, samesite="lax", secure=ask.desk.secure_cookie)
    return answer


def me(ask: Ask) -> dict[str, Any]:
    """GET /session/me"""
    who = ask.who
    return {"user": {"id": who.user_id, "name": who.name, "role": who.role}, "session": who.session_id}


def mine(ask: Ask) -> dict[str, Any]:
    """GET /session/mine: where the asker is signed in."""
    with ask.desk.store.read() as conn:
        rows = session_rows.running_of(conn, ask.who.user_id, clock.now_ms(conn))
    keep = ("id", "created_at", "seen_at", "agent")
    return {"sessions": [{**{key: row[key] for key in keep}, "this": row["id"] == ask.who.session_id} for row in rows]}


def end_others(ask: Ask) -> dict[str, int]:
    """POST /session/end-others: sign out everywhere else."""
    with ask.desk.store.write() as tx:
        return {"ended": sessions.revoke_all(tx, ask.who.user_id, ask.actor, keep=ask.who.session_id)}


def end_one(ask: Ask) -> None:
    """POST /session/end: sign out one of the asker's own sessions, wherever it is."""
    with ask.desk.store.write() as tx:
        running = {row["id"] for row in session_rows.running_of(tx.conn, ask.who.user_id, tx.now_ms())}
        if ask.body.session not in running:
            raise not_found("The session")
        sessions.revoke(tx, ask.who.user_id, ask.body.session, ask.actor)


# ---- the first administrator; invitations and password resets


def setup_page(ask: Ask) -> Response:
    """GET /session/setup?token="""
    token = ask.request.query_params.get("token", "")
    try:
        people.check_setup(ask.desk.store, token)
    except DeskError as wrong:
        return _dead_link(ask, wrong)
    return _setup(ask, Form({"token": token}))


async def setup(ask: Ask) -> Response:
    """POST /session/setup"""
    form = await _form(ask.request)
    return await run_in_threadpool(_create_first, ask, form)


def _create_first(ask: Ask, form: Form) -> Response:
    values = {name: form.get(name) for name in ("name", "email", "password")}
    try:
        user_id = people.create_first(ask.desk.store, form.get("token"), **values)
    except DeskError as wrong:
        if form.is_json:
            raise
        if wrong.code == "link":
            return _dead_link(ask, wrong)
        form.take(wrong)
        return _setup(ask, form, wrong.status)
    return _enter(ask, user_id, form)


def join_page(ask: Ask) -> Response:
    """GET /session/join?token="""
    return _join(ask, Form({"token": ask.request.query_params.get("token", "")}))


async def join(ask: Ask) -> Response:
    """POST /session/join"""
    form = await _form(ask.request)
    return await run_in_threadpool(_choose_password, ask, form)


def _choose_password(ask: Ask, form: Form) -> Response:
    try:
        user_id = people.join(ask.desk.store, form.get("token"), form.get("password"))
    except DeskError as wrong:
        if form.is_json:
            raise
        if wrong.code == "link":
            return _dead_link(ask, wrong)
        form.take(wrong)
        return _join(ask, form, wrong.status)
    return _enter(ask, user_id, form)


def asset(ask: Ask) -> Response:
    """GET /session/assets/{version}/{name}: the version is in the path, so browsers may keep it for ever."""
    name = str(ask.request.path_params["name"])
    if name not in _ASSETS:
        raise Refused(404, "not_found", "There is no such file.")
    headers = {"cache-control": "public, max-age=31536000, immutable"}
    return FileResponse(_FOLDER / name, media_type=_ASSETS[name], headers=headers)


# ---- what they share


def _enter(ask: Ask, user_id: str, form: Form) -> Response:
    """Sign in somebody who has just proved who they are by a one-time link."""
    with ask.desk.store.write() as tx:
        user = accounts.user(tx.conn, user_id)
        assert user is not None, "the account was made a moment ago"
        agent = ask.request.headers.get("user-agent", "")
        signed_in = sessions.begin(tx, user_id, user["name"], user["role"], agent, ask.desk.settings.session_days)
    return _welcome(ask, signed_in, form)


def _welcome(ask: Ask, signed_in: SignedIn, form: Form) -> Response:
    who = signed_in.identity
    answer: Response
    if form.is_json:
        answer = JSONResponse({"user": {"id": who.user_id, "name": who.name, "role": who.role}})
    else:
        answer = RedirectResponse(_way_back(ask, form.get("next")), 303)
    answer.set_cookie(
        ask.desk.cookie,
        signed_in.token,
        max_age=signed_in.max_age_s,
        path="/",
        httponly=True,
        samesite="lax",
        secure=ask.desk.secure_cookie,
    )
    return answer


def _way_back(ask: Ask, target: str) -> str:
    request = ask.request
    return ask.desk.origins.way_back(target, request.headers.get("host", ""), request.url.scheme)


def _login(ask: Ask, form: Form, status: int = 200) -> Response:
    with ask.desk.store.read() as conn:
        nobody = not accounts.active_administrators(conn)
    return _page(ask, "login.html", status, title="Sign in", nobody=nobody, form=form)


def _setup(ask: Ask, form: Form, status: int = 200) -> Response:
    return _page(ask, "setup.html", status, title="Welcome", form=form)


def _join(ask: Ask, form: Form, status: int = 200) -> Response:
    try:
        link, user = people.invited(ask.desk.store, form.get("token"))
    except DeskError as wrong:
        return _dead_link(ask, wrong)
    form.values |= {"name": user["name"], "email": user["email"]}
    title = "Join" if link.purpose == "invite" else "New password"
    return _page(ask, "join.html", status, title=title, purpose=link.purpose, form=form)


def _dead_link(ask: Ask, wrong: DeskError) -> Response:
    said = {"text": wrong.message, "href": "/session/login", "action": "Go to sign-in"}
    return _page(ask, "notice.html", wrong.status, title="This link does not work", form=Form(), **said)


def _page(ask: Ask, template: str, status: int, *, form: Form, **values: Any) -> Response:
    text = _templates.get_template(template).render(
        company=company.read(ask.desk.store)["name"],
        heading=None,
        version=_VERSION,
        shortest=passwords.SHORTEST,
        errors=form.errors,
        problem=form.problem,
        **{name: form.get(name) for name in ("next", "token", "name", "email")},
        **values,
    )
    return HTMLResponse(text, status, {"content-security-policy": _policy(ask.desk, ask.request)})


def _policy(desk: Desk, request: Request) -> str:
    # form-action holds for the redirect after the form as well, and that one leads to the console's origin.
    console = desk.origins.console(request.headers.get("host", ""), request.url.scheme)
    return (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src data:; base-uri 'none'; "
        f"frame-ancestors 'none'; form-action 'self' {console}"
    )


def _wants_json(request: Request) -> bool:
    return "application/json" in request.headers.get("accept", "")


async def _form(request: Request) -> Form:
    """A form as a browser sends it, or a JSON object of texts."""
    if request.headers.get("content-type", "").startswith(("application/json", "text/plain")):
        try:
            given = json.loads(await request.body())
        except (ValueError, RecursionError):
            raise Refused(400, "not_json", "The body must be JSON.") from None
        if not isinstance(given, dict):
            raise Refused(400, "not_json", "The body must be a JSON object.")
        return Form({str(k): v for k, v in given.items() if isinstance(v, str)}, is_json=True)
    sent = await request.form(max_files=0, max_fields=20)
    return Form({name: value for name, value in sent.items() if isinstance(value, str)})
