"""Finding what was said, written and noted: by its words, as far as the asker may see it."""

import re
from typing import Any, Final

from aircall_core.domain import words
from aircall_core.service.answers import Refused, is_id
from aircall_core.service.endpoint import Ask
from aircall_core.store import search as index
from aircall_core.store.queries import finding

LONGEST: Final = 200
_CURSOR: Final = re.compile(r"-?[0-9]{1,18}")  # below zero: what was there before the index


def find(ask: Ask) -> dict[str, Any]:
    """GET /desk/search?text=&kind=&line=&before=: texts, notes, conversations and contacts, newest first.

    ``kind`` may stand several times.
    """
    asked = ask.request.query_params
    typed = asked.get("text", "")
    if len(typed) > LONGEST:
        raise Refused(422, "too_long", f"Search for at most {LONGEST} characters.")
    kinds = asked.getlist("kind")
    if any(kind not in index.KINDS for kind in kinds):
        raise Refused(400, "bad_request", f"kind is one of {', '.join(index.KINDS)}.")
    line, before = asked.get("line", ""), asked.get("before", "")
    if line and not is_id(line):
        raise Refused(400, "bad_request", "line is the id of a line.")
    if before and not _CURSOR.fullmatch(before):
        raise Refused(400, "bad_request", "before must be a whole number.")
    with ask.desk.store.read() as conn:
        return finding.find(
            conn, words.query(typed), ask.who.user_id, ask.who.role, kinds=kinds, line_id=line or None,
            before=int(before) if before else None,
        )  # fmt: skip
