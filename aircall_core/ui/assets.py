"""The browser's files under /assets, with the hash of all of them in the path.

So relative imports share one version, and a browser keeps each version for ever.
"""

import hashlib
import re
from functools import lru_cache
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from aircall_core.ui import text

FOLDER = Path(__file__).parent / "static"
_VERSIONED = re.compile(r"v-([0-9a-f]{12})/(.+)")
_TEXT = re.compile(r"text\.([a-z]{2})\.json")


@lru_cache(maxsize=1)
def version() -> str:
    """A hash over the browser's files and texts."""
    digest = hashlib.sha256()
    for path in sorted([*FOLDER.iterdir(), *text.FOLDER.rglob("*.json")]):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


def url(name: str) -> str:
    """The address of a file of `static/`, for this version of it."""
    return f"/assets/v-{version()}/{name}"


async def service_worker(_request: Request) -> Response:
    """GET /sw.js: at the root, since a service worker may not serve pages above its own path."""
    return FileResponse(FOLDER / "sw.js", media_type="text/javascript", headers={"cache-control": "no-cache"})


class Assets(StaticFiles):
    """Serves `static/` and the texts; an old version in the path gets today's file, uncached."""

    def __init__(self) -> None:
        super().__init__(directory=FOLDER)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """One file."""
        match = _VERSIONED.fullmatch(path)
        name = match[2] if match else path
        response = self._text(name) or await super().get_response(name, scope)
        lasting = match is not None and match[1] == version()
        response.headers["cache-control"] = "public, max-age=31536000, immutable" if lasting else "no-cache"
        response.headers["x-content-type-options"] = "nosniff"
        return response

    @staticmethod
    def _text(name: str) -> Response | None:
        match = _TEXT.fullmatch(name)
        if match is None:
            return None
        if match[1] not in text.languages():
            raise HTTPException(404)
        return JSONResponse(text.browser_texts(match[1]))
