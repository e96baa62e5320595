"""What the installation's processes hold and whether they live."""

import streamlit as st

from aircall_core.store.queries import health, lines, people
from aircall_core.ui import data, format, session
from aircall_core.ui.text import t

MARKS = {
    "alive": ":green[:material/check_circle:]",
    "starting": ":orange[:material/hourglass_top:]",
    "draining": ":orange[:material/hourglass_bottom:]",
    "gone": ":red[:material/error:]",
}

who = session.current()
st.title(t("nav.health"))
st.button(t("health.refresh"), icon=":material/refresh:")
nodes = data.read(health.node_states)
zone = data.read(people.company)["timezone"]
st.caption(t("health.calls", count=data.read(health.live_calls)))
if not nodes:
    st.error(t("health.none"), icon=":material/error:")

for kind in ("worker", "gateway", "desk"):
    found = [node for node in nodes if node.kind == kind]
    if not found:
        continue
    st.subheader(t(f"health.{kind}"), help=t(f"health.{kind}_help"))
    for node in found:
        with st.container(border=True):
            st.markdown(f"{MARKS[node.state]} **{format.plain(node.id)}** · {t(f'health.{node.state}')}")
            if node.capacity:
                st.progress(
                    min(1.0, node.in_use / node.capacity),
                    text=t("health.used", used=node.in_use, capacity=node.capacity),
                )
            st.caption(t("health.since", at=format.moment(node.started_at, zone), version=node.version))
            if node.info:
                with st.expander(t("health.details")):
                    st.table({str(key): str(value) for key, value in sorted(node.info.items())})

st.subheader(t("nav.trunks"))
for trunk in data.read(lines.trunks_list):
    state = t(f"trunks.state_{trunk['state']}") if trunk["state"] else t("trunks.state_listening")
    bad = trunk["state"] == "failed"
    mark = (
        ":gray[:material/do_not_disturb_on:]"
        if not trunk["enabled"]
        else ":red[:material/error:]"
        if bad
        else ":green[:material/check_circle:]"
    )
    code = f" ({trunk['state_code']})" if bad and trunk["state_code"] else ""
    st.markdown(
        f"{mark} **{format.plain(trunk['name'])}** · {t('trunks.off') if not trunk['enabled'] else state}{code}"
    )
