"""What the installed pjsua2 can hold, found out by asking it: builds differ by two orders of magnitude.

The library says how many calls it holds, but not how many accounts: those are counted by a child process that makes
accounts until the library refuses or (builds with assertions) dies. The answer is kept beside the sockets, per build.
"""

import ctypes
import hashlib
import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

PROBE_S = 20.0
ASK_CALLS = 4096  # more than any build has: the library cuts it to what it holds
MAX_ACCOUNTS = 256


@dataclass(frozen=True)
class Capabilities:
    """One build of pjsua2."""

    version: str
    calls: int
    accounts: int
    codecs: tuple[str, ...]
    tls: bool

    def inbound(self, share: float) -> int:
        """Calls that are let in: a share of all, with at least two slots left to refuse with and to transfer."""
        return max(1, min(int(self.calls * share), self.calls - 2))

    def as_json(self) -> dict[str, Any]:
        """For the node's row."""
        return {**asdict(self), "codecs": list(self.codecs)}


class CapabilityError(RuntimeError):
    """pjsua2 is missing or does not start."""


def discover(cache_dir: Path) -> Capabilities:
    """Capabilities of the installed build, from the cache when this very file was asked before."""
    library = Path(library_file())
    state = library.stat()
    key = hashlib.sha256(f"{library}|{state.st_mtime_ns}|{state.st_size}".encode()).hexdigest()[:16]
    cached = cache_dir / f"pjsua2-{key}.json"
    try:
        return _read(json.loads(cached.read_text()))
    except (OSError, ValueError, KeyError):
        found = _ask()
    temporary = cached.with_suffix(f".{os.getpid()}")
    temporary.write_text(json.dumps(found.as_json()))
    temporary.replace(cached)
    return found


def max_calls(library: str) -> int:
    """The library's own count of call slots (after libInit it is what was asked for, cut to what is compiled in)."""
    return int(ctypes.PyDLL(library).pjsua_call_get_max_count())


def library_file() -> str:
    """Path of pjsua2's native library. Raises CapabilityError."""
    import pjsua2

    _ = pjsua2.Endpoint  # some builds load their extension module only when it is first used

    for name, module in sys.modules.items():
        path = getattr(module, "__file__", None) or ""
        if "pjsua2" in name and ".so" in path:
            return path
    raise CapabilityError("the package pjsua2 holds no native library")


def _read(found: dict[str, Any]) -> Capabilities:
    return Capabilities(found["version"], found["calls"], found["accounts"], tuple(found["codecs"]), bool(found["tls"]))


def _ask() -> Capabilities:
    words = [sys.executable, "-m", "aircall_core.sip.capabilities"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=PROBE_S, check=False)
    found: dict[str, Any] = {}
    for line in done.stdout.splitlines():
        if line.startswith("{"):
            found.update(json.loads(line))
    if "calls" not in found:
        raise CapabilityError(f"pjsua2 does not start (status {done.returncode}): {done.stderr.strip()[-400:]}")
    return _read({"accounts": 0, **found})


def _probe() -> None:
    """Child: prints what it learns as it learns it, since it may be killed by an assertion at the end."""
    import pjsua2 as pj

    library = library_file()
    endpoint = pj.Endpoint()
    endpoint.libCreate()
    config = pj.EpConfig()
    config.uaConfig.threadCnt, config.uaConfig.mainThreadOnly, config.uaConfig.maxCalls = 0, True, ASK_CALLS
    config.logConfig.level = config.logConfig.consoleLevel = 0
    endpoint.libInit(config)
    transport = pj.TransportConfig()
    transport.boundAddress = "127.0.0.1"
    endpoint.transportCreate(pj.PJSIP_TRANSPORT_UDP, transport)
    endpoint.libStart()
    try:
        tls = len(endpoint.utilSslGetAvailableCiphers()) > 0
    except pj.Error:
        tls = False
    found = {
        "version": endpoint.libVersion().full,
        "calls": max_calls(library),
        "codecs": [codec.codecId for codec in endpoint.codecEnum2()],
        "tls": tls,
    }
    print(json.dumps(found), flush=True)
    accounts = []
    for index in range(MAX_ACCOUNTS):
        account, form = pj.Account(), pj.AccountConfig()
        form.idUri = f"sip:probe{index}@127.0.0.1"
        try:
            account.create(form)
        except pj.Error:
            break
        accounts.append(account)
        print(json.dumps({"accounts": len(accounts)}), flush=True)
    os._exit(0)  # objects that outlive the library abort in their destructors


if __name__ == "__main__":
    _probe()
