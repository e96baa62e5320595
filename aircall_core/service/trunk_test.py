"""Testing a trunk: does its registrar answer, and what did the worker last hear from it."""

from dataclasses import asdict
from typing import Any

from starlette.concurrency import run_in_threadpool

from aircall_core.desk.errors import not_found
from aircall_core.service import probe
from aircall_core.service.answers import Refused
from aircall_core.service.endpoint import Ask
from aircall_core.store import provisioning


async def test_trunk(ask: Ask) -> dict[str, Any]:
    """POST /desk/trunks/{trunk}/test: one OPTIONS to the registrar that an administrator has set, nowhere else."""
    trunk = await run_in_threadpool(_trunk, ask)
    if not trunk["host"]:
        raise Refused(409, "no_host", "This trunk calls us: there is no address to ask. Place a call through it.")
    return asdict(await probe.options(trunk["host"], trunk["transport"]))


def _trunk(ask: Ask) -> dict[str, Any]:
    with ask.desk.store.read() as conn:
        found = provisioning.trunk(conn, ask.id("trunk"))
    if found is None:
        raise not_found("The trunk")
    return found
