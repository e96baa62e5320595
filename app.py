"""The console: `streamlit run app.py`. Starts the backend of its data folder if it does not run yet."""

import streamlit as st
from starlette.middleware import Middleware
from starlette.routing import Mount

from aircall_core.ui.assets import Assets
from aircall_core.ui.gate import Gate
from aircall_core.ui.lifespan import lifespan

app = st.App(
    "pages/_shell.py",
    lifespan=lifespan,
    routes=[Mount("/assets", app=Assets())],
    middleware=[Middleware(Gate)],
)
