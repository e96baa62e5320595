"""Where the console listens: AIRCALL_HTTP_HOST and AIRCALL_HTTP_PORT, however Streamlit was started.

`streamlit run app.py` reads its address before it imports app.py. When that is not ours, app.py starts the same command
again in the same process, with our address in the environment, where no flag or file of Streamlit's is left to differ.
"""

import os
import sys

from aircall_core.backend import BackendError, is_locked, left_running
from aircall_core.config import Settings
from aircall_core.supervisor import Wanted, check_ports, insist

_OPTIONS = ("--server.port", "--server.address")


def environment(settings: Settings) -> dict[str, str]:
    """Variables by which Streamlit listens where our settings say."""
    return {"STREAMLIT_SERVER_ADDRESS": settings.http_host, "STREAMLIT_SERVER_PORT": str(settings.http_port)}


def check_port(settings: Settings) -> None:
    """BackendError in plain words when another program has the console's port."""
    here = Wanted("the console", "HTTP_HOST", settings.http_host, "HTTP_PORT", settings.http_port)
    insist(here, " (is the console running already?)")


def check_backend_ports(settings: Settings) -> None:
    """The same for ports that the backend will need, if none runs or starts.

    It looks for itself when it starts; by then Streamlit runs, and its words would stand below a traceback.
    """
    if settings.start_backend and not is_locked(settings):
        check_ports(settings, set(left_running(settings)))


def insist_on_address(settings: Settings) -> None:
    """Start `streamlit run` again when it would listen elsewhere. Does nothing under another server or in tests.

    Ends the process, in plain words, when another program has a port that is needed.
    """
    from streamlit import config

    command = sys.orig_argv
    if "streamlit" not in " ".join(command[:3]) or "run" not in command[1:4]:
        return
    listens = (config.get_option("server.address"), config.get_option("server.port"))
    try:
        if listens == (settings.http_host, settings.http_port):
            check_backend_ports(settings)
            return
        check_port(settings)  # not yet the others: where it listens now may be one of them
    except BackendError as error:
        raise SystemExit(str(error)) from None
    sys.stdout.flush()
    os.environ.update(environment(settings))
    os.execv(sys.executable, without_address(command))  # noqa: S606  it replaces this process


def without_address(command: list[str]) -> list[str]:
    """A Streamlit command line without the options that say where to listen."""
    kept: list[str] = []
    words = iter(command)
    for word in words:
        if word in _OPTIONS:
            next(words, None)  # its value
        elif not word.startswith(tuple(f"{option}=" for option in _OPTIONS)):
            kept.append(word)
    return kept
