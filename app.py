"""The console: `streamlit run app.py`. Starts the backend of its data folder if it does not run yet."""

import streamlit as st
from starlette.middleware import Middleware
from starlette.routing import Mount, Route

from aircall_core.config import get_settings
from aircall_core.console import insist_on_address
from aircall_core.ui.assets import Assets, service_worker
from aircall_core.ui.gate import Gate
from aircall_core.ui.head import Head
from aircall_core.ui.lifespan import lifespan
from aircall_core.ui.navigation import home

insist_on_address(get_settings())
app = st.App(
    "pages/_shell.py",
    lifespan=lifespan,
    routes=[Mount("/assets", app=Assets()), Route("/sw.js", service_worker), Route("/inbox", home)],
    middleware=[Middleware(Gate), Middleware(Head)],
)
