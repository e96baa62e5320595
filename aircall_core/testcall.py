"""The "Place a test call" button: starts the test phone (`python -m aircall_core phone`) as a process of its own.

Apart from the phone itself, so that the desk process needs nothing of the SIP package.
"""

import os
import subprocess
import sys

from aircall_core.config import Settings

DEFAULT_CALLER = "+33199005012"  # a range that the French regulator keeps for fiction: it reaches nobody
RINGS_S, TALKS_S = 45, 75  # two minutes at most


def place_test_call(
    settings: Settings, number: str, *, caller: str = DEFAULT_CALLER, name: str = "Test phone", say: str = ""
) -> "subprocess.Popen[bytes]":
    """Start the test phone against this installation's worker and return at once; the call lasts two minutes at most.

    The phone is a session of its own: it outlives the caller, and nothing has to wait for it. What it prints goes to
    `test-phone.jsonl` in the log folder, overwritten by the next test call. Raises OSError when it cannot be started.
    """
    words = [sys.executable, "-m", "aircall_core", "phone", "call", number]
    words += ["--from", caller, "--name", name, "--server", f"{dialled_host(settings)}:{settings.sip_port}"]
    words += ["--ring-for", str(RINGS_S), "--hangup-after", str(TALKS_S)]
    words += ["--say", say] if say else []
    settings.logs_dir.mkdir(parents=True, exist_ok=True)
    environment = dict(os.environ, AIRCALL_DATA_DIR=str(settings.data_dir))
    with open(settings.logs_dir / "test-phone.jsonl", "wb") as log:
        return subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, env=environment
        )


def dialled_host(settings: Settings) -> str:
    """The address at which this machine reaches the worker, which may listen on all of them."""
    return "127.0.0.1" if settings.sip_host in ("0.0.0.0", "::") else settings.sip_host
