"""The pages' writing side: HTTP to the desk process as the user who looks at the page."""

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import httpx
import streamlit as st

from aircall_core import ids
from aircall_core.config import get_settings
from aircall_core.ui import data
from aircall_core.ui.format import plain
from aircall_core.ui.text import t

PATIENCE_S = 10.0


class Refused(Exception):
    """The desk refused, or could not be reached. `fields` says what is wrong with which field.

    Its words are made inert for Streamlit's markdown: they quote names, which somebody may have written as markup.
    """

    def __init__(self, code: str, message: str, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.code, self.message = code, plain(message)
        self.fields = {name: plain(words) for name, words in (fields or {}).items()}


@lru_cache(maxsize=1)
def _http() -> httpx.Client:
    settings = get_settings()
    host = "127.0.0.1" if settings.http_host in ("0.0.0.0", "::") else settings.http_host
    host = f"[{host}]" if ":" in host else host
    # Proxies of the environment are for the outside; the desk is this machine.
    return httpx.Client(base_url=f"http://{host}:{settings.desk_port}", timeout=_timeout(PATIENCE_S), trust_env=False)


def _as_the_user() -> dict[str, str]:
    """The headers of the user's own browser: their cookie, and the console's origin."""
    settings = get_settings()
    host = st.context.headers.get("host", f"127.0.0.1:{settings.http_port}")
    name = data.cookie_name()
    origin = settings.console_url or f"http://{host}"
    bare = host.rsplit(":", 1)[0] if not host.endswith("]") else host
    return {
        "cookie": f"{name}={st.context.cookies.get(name, '')}",
        "origin": origin,
        "host": f"{bare}:{settings.desk_port}",
        "accept": "application/json",
    }


def send(method: str, path: str, body: Mapping[str, Any] | None = None, *, patience_s: float = PATIENCE_S) -> Any:
    """Send JSON to the desk; its JSON answer. Raises Refused with a sentence for the user."""
    return _json(_ask(method, path, json=dict(body or {}), timeout=_timeout(patience_s)))


def upload(path: str, fields: Mapping[str, str], file: bytes, *, patience_s: float) -> Any:
    """Send a form with one file, `file`, to the desk; its JSON answer. Raises Refused.

    The file goes without its name, which says nothing that the desk would believe.
    """
    return _json(_ask("POST", path, data=dict(fields), files={"file": ("file", file)}, timeout=_timeout(patience_s)))


def upload_told(path: str, fields: Mapping[str, str], file: bytes, *, patience_s: float) -> Iterator[dict[str, Any]]:
    """The same for what takes a while: one JSON object a line, as the desk tells them. Raises Refused, also midway.

    ``patience_s`` is how long the desk may be silent.
    """
    files, timeout = {"file": ("file", file)}, _timeout(patience_s)
    try:
        with _http().stream(
            "POST", path, headers=_as_the_user(), data=dict(fields), files=files, timeout=timeout
        ) as answer:
            if not answer.is_success:
                answer.read()
                _json(answer)
            for line in answer.iter_lines():
                told = json.loads(line)
                if error := told.get("error"):
                    raise Refused(error["code"], error["message"])
                yield told
    except httpx.HTTPError as away:
        raise Refused("unreachable", t("page.desk_away")) from away


def told_with_bar(
    path: str, fields: Mapping[str, str], file: bytes, words: str, stopped: str, *, patience_s: float
) -> dict[str, Any] | None:
    """Send a file; the desk's report, or None where it refused or stopped: the page has been told why.

    How far it is shows meanwhile. ``words``: the key of a text with {done} and {of}; ``stopped``: of one for an answer
    that breaks off.
    """
    bar = st.progress(0.0)
    try:
        for line in upload_told(path, fields, file, patience_s=patience_s):
            if "report" in line:
                found: dict[str, Any] = line["report"]
                return found
            bar.progress(line["done"] / line["of"], t(words, done=f"{line['done']:,}", of=f"{line['of']:,}"))
    except Refused as refused:
        st.error(next(iter(refused.fields.values()), refused.message), icon=":material/error:")
        return None
    finally:
        bar.empty()
    st.error(t(stopped), icon=":material/error:")
    return None


def fetch(path: str) -> bytes:
    """A file from the desk. Raises Refused."""
    answer = _ask("GET", path)
    if answer.is_success:
        return answer.content
    return bytes(_json(answer))  # raises


def _timeout(patience_s: float) -> httpx.Timeout:
    return httpx.Timeout(patience_s, connect=2)


def _ask(method: str, path: str, **request: Any) -> httpx.Response:
    try:
        return _http().request(method, path, headers=_as_the_user(), **request)
    except httpx.HTTPError as away:
        raise Refused("unreachable", t("page.desk_away")) from away


def _json(answer: httpx.Response) -> Any:
    if answer.is_success:
        return answer.json() if answer.content else None
    try:
        error = answer.json()["error"]
        raise Refused(error["code"], error["message"], error.get("fields"))
    except (ValueError, KeyError, TypeError) as broken:
        raise Refused("failed", t("page.failed")) from broken


def command(path: str, body: Mapping[str, Any] | None = None) -> Any:
    """A command with an id of its own."""
    return send("POST", path, {**(body or {}), "command": ids.new_id()})
