"""Audio before everything else on the machine, where the system grants it."""

import errno
import os
from pathlib import Path

NICE = -10
_AUTOGROUP = Path("/proc/self/autogroup")


def raise_priority() -> bool:
    """Put this process before ordinary ones; whether the system allowed it (root, or CAP_SYS_NICE from a service unit).

    Where the kernel groups processes by session (autogroup, see sched(7)), a process's own nice value counts only
    within its session, and each of ours leads one: there the session's value is what counts, and is set too.
    """
    try:
        os.setpriority(os.PRIO_PROCESS, 0, NICE)
        if _AUTOGROUP.exists():
            _AUTOGROUP.write_text(str(NICE))
    except PermissionError:
        return False
    except OSError as problem:
        # Without a session of its own (a container's first process and its children) a process is in the root group,
        # which has no nice value, says EINVAL, and lets the process's own value count.
        if problem.errno != errno.EINVAL:
            raise
    return True
