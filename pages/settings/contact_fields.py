"""Contact fields: what the company wants to know of its contacts beyond name and numbers."""

from typing import Any

import streamlit as st

from aircall_core.store import contacts
from aircall_core.ui import assets, client, data, format, forms, rows, search, session
from aircall_core.ui.editors.contact_field import contact_field_form
from aircall_core.ui.text import t

session.current()
st.html(assets.FOLDER / "settings.css")


@st.dialog(t("fields.edit_title"))
def edit(field: dict[str, Any] | None = None) -> None:
    """Make or change a field."""
    if contact_field_form(f"field-{field['id'] if field else 'new'}", field):
        st.rerun()
    if field:
        forms.confirm(
            f"remove-{field['id']}",
            t("fields.remove_question", name=format.plain(field["name"])),
            lambda: client.send("DELETE", f"/desk/contact-fields/{field['id']}"),
        )


def mover(field: dict[str, Any], way: str, place: int) -> None:
    """The button that moves a field a place up or down; its label is for screen readers alone (settings.css)."""
    label, at_end = t(f"fields.{way}", name=format.plain(field["name"])), not 0 <= place < len(every)
    pressed = st.button(label, icon=f":material/arrow_{way}ward:", key=f"move-{way}-{field['id']}", disabled=at_end)
    change = {"position": place}
    if pressed and forms.act(
        lambda: client.send("PATCH", f"/desk/contact-fields/{field['id']}", change), t("page.saved")
    ):
        st.rerun()


every = data.read(contacts.fields)
places = {field["id"]: place for place, field in enumerate(every)}
rows.heading(t("nav.contact_fields"), t("fields.intro"), t("fields.add"), edit)
if not every:
    st.info(t("fields.none"), icon=":material/list_alt:")
for field in search.chosen("fields", t("fields.search"), every, lambda one: (one["name"], *one["choices"])):
    kind = t(f"fields.kind_{field['kind']}")
    details = f"{kind}: {format.plain(', '.join(field['choices']))}" if field["choices"] else kind
    with rows.row(format.plain(field["name"]), [details]), st.container(horizontal=True, width="content"):
        mover(field, "up", places[field["id"]] - 1)
        mover(field, "down", places[field["id"]] + 1)
        if rows.edit(f"edit-{field['id']}"):
            edit(field)
