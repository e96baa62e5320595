"""The processes of the system, and whether they are well."""

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aircall_core.cli.common import Json, open_installation, show

if TYPE_CHECKING:
    from aircall_core.config import Settings

SMALL = 32  # calls; a build with fewer is PyPI's wheel, for trying
Index = Annotated[int, typer.Option(help="Which of several, from 0.", min=0)]


def register(app: typer.Typer) -> None:
    """Add these commands to the root of the tree."""
    for command in (console, backend, stop, desk, worker, gateway, readiness, welcome):
        app.command()(command)


def console() -> None:
    """Run the whole system: the console here, and the backend, found or started, behind it. Ctrl-C stops both."""
    from aircall_core.config import get_settings
    from aircall_core.console import check_backend_ports, check_port, environment

    settings = get_settings()
    check_port(settings)
    check_backend_ports(settings)
    os.environ.update(environment(settings), AIRCALL_DATA_DIR=str(settings.data_dir))
    os.chdir(Path(__file__).parents[2])  # Streamlit reads its configuration and the pages from there

    import click
    from streamlit.web.cli import main as streamlit

    try:
        streamlit(["run", "app.py"], standalone_mode=False)
    except click.Abort:  # Ctrl-C: everything was stopped in order
        raise SystemExit(0) from None


def backend(
    log_files: Annotated[
        bool, typer.Option("--log-files", help="Log into the data folder, not to standard error.")
    ] = False,
) -> None:
    """Run the backend: starts and watches desk, workers and gateways. Ctrl-C or SIGTERM drains and stops them."""
    from aircall_core.config import get_settings
    from aircall_core.supervisor import main

    raise SystemExit(main(get_settings(), log_files=log_files))


def stop(
    now: Annotated[bool, typer.Option("--now", help="Give running calls no time.")] = False,
) -> None:
    """Drain and stop the backend of this data folder."""
    from aircall_core.backend import stop_backend
    from aircall_core.config import get_settings

    typer.echo("Stopped." if stop_backend(get_settings(), at_once=now) else "No backend runs here.")


def desk() -> None:
    """Run the desk process: commands, realtime, sign-in (the backend starts it)."""
    from aircall_core.service.main import main

    main()


def worker(index: Index = 0) -> None:
    """Run a SIP worker (the backend starts it)."""
    from aircall_core.sip.main import main

    main(index)


def gateway(index: Index = 0) -> None:
    """Run a media gateway (the backend starts it)."""
    from aircall_core.media.main import main

    main(index)


def readiness(
    wait: Annotated[float, typer.Option(help="Wait so many seconds for it to become ready.", min=0)] = 0,
    as_json: Json = False,
) -> None:
    """Ask the desk process whether calls can be taken. Exit status 0: yes; 1: no, with the reasons."""
    from aircall_core.config import get_settings

    ready, answer = ask_readiness(get_settings(), wait)
    show(as_json, answer, ("Ready.\n" if ready else "Not ready.\n") + "\n".join(describe(answer)))
    raise SystemExit(0 if ready else 1)


def welcome() -> None:
    """Print where everything is, what pjsua2 holds, and a link for the first administrator while there is none."""
    from aircall_core.config import get_settings
    from aircall_core.desk import people
    from aircall_core.sip import capabilities

    settings = get_settings()
    ready, answer = ask_readiness(settings, 20)
    lines = [f"Console     {settings.console_address}", f"SIP         {settings.sip_address}"]
    try:
        holds = capabilities.discover(settings.run_dir)
        inbound = holds.inbound(settings.inbound_share)
        lines.append(f"pjsua2      {holds.version}: {holds.calls} calls in a worker, {inbound} inbound at once")
        if holds.calls < SMALL:
            lines.append("            good to try; `make pjsua2` builds the one for production")
    except capabilities.CapabilityError as error:
        lines.append(f"pjsua2      {error}")
    lines += [f"{'Note' if ready else 'Not ready':<12}{words}" for words in describe(answer)]
    with open_installation() as store:
        link = people.first_admin_link(store, settings)
    if link:
        lines.append(f"\nOpen this link once, to become the first administrator:\n  {link}")
    typer.echo("\n".join(lines) + "\n")


def ask_readiness(settings: "Settings", wait_s: float = 0) -> tuple[bool, dict[str, Any]]:
    """The desk's answer to /readyz, asked until it is good or `wait_s` is over."""
    import httpx

    host = "127.0.0.1" if settings.http_host in ("0.0.0.0", "::") else settings.http_host
    url = f"http://{f'[{host}]' if ':' in host else host}:{settings.desk_port}/readyz"
    deadline = time.monotonic() + wait_s
    while True:
        try:
            reply = httpx.get(url, timeout=5, trust_env=False)
            answer: dict[str, Any] = reply.json()
            ready = reply.status_code == 200
        except (httpx.HTTPError, ValueError):
            words = f"The desk process does not answer on port {settings.desk_port}."
            answer = {"ready": False, "reasons": [{"code": "no_desk", "message": words}]}
            ready = False
        if ready or time.monotonic() >= deadline:
            return ready, answer
        time.sleep(0.2)  # another process's readiness, behind HTTP, is not an event here


def describe(answer: dict[str, Any]) -> list[str]:
    """What stands in the way of calls, then of some calls, by an answer of /readyz."""
    return [str(one["message"]) for kind in ("reasons", "warnings") for one in answer.get(kind, ())]
