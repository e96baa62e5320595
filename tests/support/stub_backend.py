"""A real supervisor with stubs for children, for tests: `python -m tests.support.stub_backend [--log-files]`.

A stub runs until SIGTERM; it dies at once when `<data_dir>/<name>.broken` exists, and ignores SIGTERM when
`<data_dir>/<name>.deaf` does. `<data_dir>/<name>.up` says that it listens; it notes its end in `<data_dir>/ends`.
"""

import sys

from aircall_core import supervisor
from aircall_core.config import get_settings

STUB = """
import pathlib, signal, sys
folder, name = pathlib.Path(sys.argv[1]), sys.argv[2]
if (folder / f"{name}.broken").exists():
    sys.exit(3)
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
(folder / f"{name}.up").touch()
while True:
    signal.sigwait({signal.SIGTERM})
    if not (folder / f"{name}.deaf").exists():
        break
with (folder / "ends").open("a") as ends:
    ends.write(name + "\\n")
"""


class StubChild(supervisor.Child):
    """A child without any telephony."""

    def command(self) -> list[str]:
        """The stub's command line."""
        return [sys.executable, "-c", STUB, str(get_settings().data_dir), self.name]


if __name__ == "__main__":
    supervisor.Child = StubChild  # type: ignore[misc]
    sys.exit(supervisor.main(get_settings(), log_files="--log-files" in sys.argv))
