"""The console's Components v2: each loads its module from /assets, a view of `window.__aircall` (ui/static/live.js).

Keyed and mounted as direct children of the sidebar or of the main area before the page runs, the shell's components
keep one DOM node through every page change (docs/console.md).
"""

from collections.abc import Callable
from typing import Any

import streamlit as st

from aircall_core.config import get_settings
from aircall_core.store.queries.people import Identity
from aircall_core.ui import assets
from aircall_core.ui.text import t

# Components v2 run inline modules; ours are real files, so the inline part only loads them. It returns its clean-up at
# once: Streamlit would not wait for a promise.
_LOADER = """
export default (args) => {
  const load = (src, tries) => import(new URL(src, location.origin).href).catch((error) => {
    if (tries === 0) throw error;
    const again = src + (src.includes('?') ? '&' : '?') + 'retry';
    return new Promise((done) => setTimeout(done, 1000)).then(() => load(again, tries - 1));
  });
  const mounted = load(args.data.src, 3).then((module) => module.mount(args));
  mounted.catch((error) => console.error('aircall: a view could not be loaded', error));
  return () => mounted.then((clean) => clean?.(), () => {});
};
"""


def link(who: Identity) -> None:
    """The live link: realtime, short messages, "Reconnecting…". Draws nothing of its own in the page."""
    _mount("link", who)


def ringer(who: Identity, on_open: Callable[[], None]) -> None:
    """The ringer, over everything. `on_open` runs when "Open conversation" was pressed (state key `ringer`)."""
    _mount("ringer", who, on_open_change=on_open)


def toolbar(who: Identity, on_open: Callable[[], None]) -> None:
    """The active call at the lower left."""
    _mount("toolbar", who, on_open_change=on_open)


def duty(who: Identity) -> None:
    """The duty switch at the lower left."""
    _mount("duty", who)


def notifications(who: Identity) -> None:
    """Whether this browser notifies of calls: the switch of the profile menu."""
    _mount("notifications", who)


def keys(who: Identity) -> None:
    """The way to the list of keyboard shortcuts: a button of the profile menu."""
    _mount("keys", who)


def inbox(
    who: Identity, lines: list[dict[str, str]], choices: dict[str, list[dict[str, str]]], *, checklist: bool,
    **triggers: Callable[[], None],
) -> Any:  # fmt: skip
    """Conversations, texts, calls and callbacks: the list reads them from the desk by itself.

    ``lines``, ``choices`` ({"users", "tags"}): what can be filtered for, by id and name. ``checklist``: steps to the
    first call are shown beside it. Triggers: open (conversation id, or {"id", "entry"}), refresh.
    """
    known = {"lines": lines, **choices, "checklist": checklist, "role": who.role}
    return _mount("inbox", who, known, "", **triggers)


def call_details(who: Identity, conversation_id: str) -> None:
    """What is known of the conversation's call while it rings or goes on."""
    _mount("call_details", who, {"conversation": conversation_id})


def header(who: Identity, shown: dict[str, Any]) -> None:
    """A conversation's header, which it follows by itself. ``shown``: as the desk tells it (conversation.shown)."""
    extra = {**shown, "conversation": shown["id"], "role": who.role}
    _mount("header", who, extra, key=f"header-{shown['id']}")


def timeline(who: Identity, conversation_id: str, party: dict[str, str], entry: str = "") -> None:
    """A conversation's timeline, which reads and follows the desk by itself.

    ``party``: `name`, `spoken` (the number as people read it), `number` (E.164, '' where it cannot be dialled), `line`.
    ``entry``: where it opens, the number of an entry or the id of a call, text or note.
    """
    key = f"timeline-{conversation_id}"
    may = {"writes": who.role != "analyst", "leads": who.role in ("administrator", "supervisor")}
    extra = {"conversation": conversation_id, **party, "entry": entry, **may}
    _mount("timeline", who, extra, key=key)


def search(who: Identity, lines: list[dict[str, str]], asked: dict[str, str], **triggers: Callable[[], None]) -> None:
    """The search over everything that was written. ``lines``: id and name of those that the user sees. ``asked``: what
    it begins with: `text`, `kind` and `line`, each of which may be ''.

    Triggers: open (conversation id, or {"id", "entry"}), contact (its id).
    """
    known = {"lines": lines, "typed": asked["text"], "kind": asked["kind"], "line": asked["line"]}
    _mount("search", who, known, "", **triggers)


def composer(who: Identity, conversation_id: str, **triggers: Callable[[], None]) -> Any:
    """Writing to the customer, or a note about them. Trigger: go (a page's url_path, where texts are turned on)."""
    extra = {"conversation": conversation_id, "role": who.role}
    return _mount("composer", who, extra, key=f"composer-{conversation_id}", **triggers)


def snapshot(who: Identity, conversation_id: str, **triggers: Callable[[], None]) -> Any:
    """Who the customer is and what they had with us. Triggers: open ("<conversation>" or "<conversation>:<entry>"),
    go (a page's url_path)."""
    extra = {"conversation": conversation_id, "role": who.role, "writes": who.role != "analyst"}
    return _mount("snapshot", who, extra, key=f"snapshot-{conversation_id}", **triggers)


def contacts(who: Identity, contact_id: str, **triggers: Callable[[], None]) -> None:
    """The contacts, and the one that is open, which read and follow the desk by themselves.

    Triggers: open (conversation id), chosen (contact id or ''), bring (import).
    """
    leads = who.role in ("administrator", "supervisor")
    extra = {"contact": contact_id, "writes": who.role != "analyst", "leads": leads}
    _mount("contacts", who, extra, "", **triggers)


def dialer(who: Identity, list_id: str, leads: bool, **triggers: Callable[[], None]) -> None:
    """A list of the power dialer, which reads and follows the desk by itself. ``leads``: may change the order.

    Triggers: open (conversation id), refresh, when what the page itself shows has changed.
    """
    _mount("dialer", who, {"list": list_id, "leads": leads}, key=f"dialer-{list_id}", **triggers)


def devices(who: Identity) -> None:
    """Microphone, loudspeaker and ring of this browser."""
    _mount("devices", who)


def pulse(who: Identity, every_s: float) -> None:
    """While this is in a fragment, the fragment runs again every so many seconds. Draws nothing."""
    _mount("pulse", who, {"every_ms": round(every_s * 1000)}, on_beat_change=lambda: None)


def reach(who: Identity) -> None:
    """What this browser can reach of the installation."""
    _mount("reach", who)


def flow_picture(who: Identity, picture: dict[str, Any], name: str, on_choose: Callable[[], None]) -> None:
    """A call flow as boxes and lines. Trigger: choose (a step's id, under the state key `flow_picture`)."""
    _mount("flow_picture", who, {"picture": picture, "name": name, "fit": t("flow.fit")}, on_choose_change=on_choose)


def unsaved(who: Identity) -> None:
    """While this is on a page, the browser asks before the tab is closed: something is not saved."""
    _mount("unsaved", who)


def _mount(name: str, who: Identity, extra: dict[str, Any] | None = None, key: str = "", **callbacks: Any) -> Any:
    settings = get_settings()
    data = {
        "src": assets.url(f"{name}.js"),
        "texts": assets.url("text.en.json"),
        "desk_url": settings.desk_url,
        "desk_port": settings.desk_port,
        "user": who.user_id,
        "preconnect": settings.preconnect_users,
        **(extra or {}),
    }
    component = st.components.v2.component(f"aircall_{name}", js=_LOADER)
    return component(key=key or name, data=data, **callbacks)
