"""A process that sends texts until it is killed: arguments are a database URL, a data folder, and how far its clock is
ahead (ms).
"""

import os
import signal
import sys
from pathlib import Path

from aircall_core.config import Settings
from aircall_core.desk.secrets import open_box
from aircall_core.messaging.outbox import Outbox
from aircall_core.store import clock, open_store


def main() -> None:
    """Say "ready" and send."""
    url, data_dir = sys.argv[1], Path(sys.argv[2])
    settings = Settings(_env_file=None, data_dir=data_dir, database_url=url)
    ahead = int(sys.argv[3])
    outbox = Outbox(
        open_store(url), settings, open_box(data_dir), os.abort, now=lambda conn: clock.now_ms(conn) + ahead
    )
    print("ready", flush=True)
    outbox.start()
    signal.pause()


main()
