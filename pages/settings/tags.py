"""Tags: what calls were about."""

from typing import Any

import streamlit as st

from aircall_core.store.tags import all_tags
from aircall_core.ui import assets, client, data, format, forms, rows, search, session
from aircall_core.ui.editors.tag import tag_form
from aircall_core.ui.text import t

session.current()
st.html(assets.FOLDER / "settings.css")


@st.dialog(t("tags.edit_title"))
def edit(tag: dict[str, Any] | None = None) -> None:
    """Make or change a tag."""
    if tag_form(f"tag-{tag['id'] if tag else 'new'}", tag, len(every)):
        st.rerun()
    if tag and not tag["uses"]:
        forms.confirm(
            f"remove-{tag['id']}",
            t("tags.remove_question", name=format.plain(tag["name"])),
            lambda: client.send("DELETE", f"/desk/tags/{tag['id']}"),
        )


def archive(tag: dict[str, Any]) -> None:
    """Archive a tag, or use it again."""
    change = {"archived": not tag["archived"]}
    if forms.act(lambda: client.send("PATCH", f"/desk/tags/{tag['id']}", change), t("page.saved")):
        st.rerun()


every = data.read(all_tags)
rows.heading(t("nav.tags"), t("tags.intro"), t("tags.add"), edit)
if not every:
    st.info(t("tags.none"), icon=":material/sell:")
for tag in search.chosen("tags", t("tags.search"), every, lambda one: (one["name"],)):
    uses = t("tags.uses", count=tag["uses"])
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.html(f'<span class="tag-dot" style="background:{tag["color"]}"></span>', width="content")
        st.markdown(f"**{format.plain(tag['name'])}**  \n:small[{uses}]", width="stretch")
        if tag["archived"]:
            st.badge(t("tags.archived"), color="gray")
        label, icon = ("tags.restore", "unarchive") if tag["archived"] else ("tags.archive", "archive")
        if st.button(t(label), key=f"archive-{tag['id']}", icon=f":material/{icon}:"):
            archive(tag)
        if rows.edit(f"edit-{tag['id']}"):
            edit(tag)
