"""How a trunk's registration stands, in words that say what to do."""

from collections.abc import Mapping
from typing import Any

from aircall_core.ui.text import t

# What a registrar means by its codes (RFC 3261, section 21); 0: we did not get so far as to ask.
_WHY = {
    0: "not_sent", 401: "credentials", 403: "credentials", 407: "credentials", 404: "unknown_user", 408: "no_answer",
    423: "interval", 502: "unreachable", 503: "unreachable", 504: "unreachable",
}  # fmt: skip


def in_words(trunk: Mapping[str, Any]) -> str:
    """Off, waiting for calls, registered, or why not."""
    if not trunk["enabled"]:
        return t("trunks.off")
    if trunk["state"] != "failed":
        color = {"registered": "green", "registering": "orange"}.get(trunk["state"] or "", "gray")
        return f":{color}[:material/circle:] {t('trunks.state_' + (trunk['state'] or 'listening'))}"
    code = trunk["state_code"] or 0
    why = t(f"trunks.why_{_WHY.get(code, 'other')}", code=code)
    return f":red[:material/error: {t('trunks.state_failed')}: {why}]"
