"""A new key for the secrets that are kept encrypted: all of them are sealed with the first of the keys."""

from dataclasses import dataclass, field

from aircall_core.desk import flows
from aircall_core.desk.secrets import SecretBox, SecretKeyError
from aircall_core.store import Tx, provisioning, sealed

_CALLED = {"trunks": "trunk", "message_accounts": "text account", "insight_sources": "insight source"}


@dataclass
class Resealed:
    """How many were sealed anew, and which cannot be read with any of the keys (they stay as they are)."""

    count: int = 0
    unreadable: list[str] = field(default_factory=list)


def reseal(tx: Tx, box: SecretBox) -> Resealed:
    """Seal every secret with the newest key, in one transaction. Links to files (desk/media_links.py) are not kept."""
    done = Resealed()

    def anew(text: str, called: str) -> str | None:
        try:
            fresh = box.seal(box.open(text))
        except SecretKeyError:
            done.unreadable.append(called)
            return None
        done.count += 1
        return fresh

    for table in sealed.COLUMNS:
        for row in sealed.every(tx.conn, table):
            if fresh := anew(row["secret"], f"{_CALLED[table]} {row['name']}"):
                sealed.put(tx.conn, table, row["id"], fresh)
    kept: dict[str, str] = provisioning.setting(tx.conn, flows.SECRETS) or {}
    if kept:
        news = {key: anew(text, f"lookup step {key.partition(':')[2]}") or text for key, text in kept.items()}
        provisioning.put_setting(tx.conn, flows.SECRETS, news)
    return done
