"""INVITE to 180 on the wire: from the moment of sending to the kernel's receipt, one call after another.

The peer is bare pjsua2, called in turn with the worker, so that both see the same machine.
"""

import subprocess
import sys
from pathlib import Path

from bench.installation import worker_only
from bench.report import Row, spread
from tests.support.rawsip import RawCaller

NUMBER = "+33199000001"


def ring_once(caller: RawCaller) -> float:
    """One call that rings and is cancelled; milliseconds from INVITE to 180."""
    sent = caller.invite(NUMBER)
    ringing = caller.wait_for(180)
    caller.cancel()
    caller.wait_for(487)
    return (ringing.at - sent.at) * 1000


def measure(folder: Path, *, full: bool) -> list[Row]:
    """The row of design's table."""
    count, ours, bare = (1000 if full else 200), [], []
    command = [sys.executable, "-m", "bench.bare_pjsua2"]
    with worker_only(folder) as system, subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as peer:
        user = system.add_user("Ada", sign_in=False)
        system.add_line(NUMBER, [user])
        system.present(user)
        assert peer.stdout is not None
        port = int(peer.stdout.readline())
        try:
            with RawCaller("127.0.0.1", system.settings.sip_port) as worker, RawCaller("127.0.0.1", port) as other:
                for number in range(count + 10):
                    pair = ring_once(worker), ring_once(other)
                    if number >= 10:  # the first calls fill caches
                        ours.append(pair[0])
                        bare.append(pair[1])
        finally:
            peer.terminate()
    return [
        Row(
            "INVITE on the wire to 180 on the wire", "ms", spread(ours), {"median": 3, "p95": 10}, spread(bare),
            "bare pjsua2, alternating",
        )
    ]  # fmt: skip
