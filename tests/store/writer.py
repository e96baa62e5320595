"""A writer in a process of its own: ``python -m tests.store.writer URL NAME COUNT``, transactions of several events."""

import random
import sys

from sqlalchemy import update

from aircall_core.store import open_store
from aircall_core.store.tables import settings
from tests.store.helpers import event


def main(url: str, name: str, count: int) -> None:
    """Append ``count`` events, counting them in a row that all writers change as well."""
    dice = random.Random(name)
    done = 0
    with open_store(url) as store:
        while done < count:
            size = min(dice.randint(1, 3), count - done)
            with store.write() as tx:
                if dice.random() < 0.5:
                    tx.execute(update(settings).where(settings.c.key == "shared").values(value=done))
                tx.append(*(event(writer=name, n=done + index) for index in range(size)))
            done += size


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
