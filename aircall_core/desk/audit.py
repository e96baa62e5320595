"""The audit log of settings: every use case that changes one says here who did, and from what to what."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from aircall_core.store import Tx
from aircall_core.store import audit as rows

Changes = Mapping[str, tuple[Any, Any] | list[Any]]

# Never written, whatever a caller hands in: that they changed is all that may be known.
SECRETS: Final = frozenset({"password", "password_hash", "secret", "token", "authorization"})
_LONGEST: Final = 400
HIDDEN: Final = "•••"


def note(
    tx: Tx, actor: str, action: str, subject_id: str = "", subject_name: str = "", changes: Changes | None = None
) -> str:
    """Write one entry in the change's own transaction; its id.

    ``action`` is an event's kind or a name of that shape (``line.changed``, ``user.created``), at most 32 letters;
    ``changes`` maps a setting's name to (before, after), as `differences` finds them.
    """
    return rows.add(
        tx.conn,
        at=tx.now_ms(),
        actor=actor,
        action=action,
        subject_id=subject_id,
        subject_name=subject_name[:200],
        changes=_kept(changes or {}),
    )


def amend(tx: Tx, entry_id: str, changes: Changes) -> None:
    """What goes on for several transactions (an import) is one entry that each of them brings up to date."""
    rows.amend(tx.conn, entry_id, _kept(changes))


def differences(
    before: Mapping[str, Any] | None, after: Mapping[str, Any], names: Iterable[str] | None = None
) -> dict[str, tuple[Any, Any]]:
    """What differs, by name; of ``names`` only, if given. ``before`` is None for something new."""
    old = before or {}
    chosen = after if names is None else [name for name in names if name in after]
    return {name: (old.get(name), after[name]) for name in chosen if old.get(name) != after[name]}


def _kept(changes: Changes) -> dict[str, list[Any]]:
    return {name: [_shown(name, one) for one in pair] for name, pair in changes.items()}


def _shown(name: str, value: Any) -> Any:
    """A value as the log keeps it: no secret, and not without end."""
    if name in SECRETS:
        return HIDDEN if value else None
    if isinstance(value, str) and len(value) > _LONGEST:
        return value[: _LONGEST - 1] + "…"
    return value
