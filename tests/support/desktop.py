"""The notification service of a desktop, on a D-Bus of the test's own.

Chromium shows its notifications here as it would on anybody's screen, and a button pressed here is a real click to it
(with the right to bring a window to the front).

    with Desktop(tmp_path) as desktop, profile(..., env=desktop.environment) as context:
        note = desktop.wait_for("Marie Dupont is calling")
        desktop.press(note, "Accept")

A click reaches Chromium's own profile only, not one of Playwright's fresh contexts: see ``chromium.profile``.
"""

import itertools
import os
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self, cast

from jeepney import DBusAddress, MessageType, new_method_return, new_signal
from jeepney.bus_messages import message_bus
from jeepney.io.blocking import DBusConnection, open_dbus_connection

from tests.support.processes import eventually

_NAME = "org.freedesktop.Notifications"
_SERVICE = DBusAddress("/org/freedesktop/Notifications", bus_name=_NAME, interface=_NAME)
_BY_CLOSE_CALL = 3  # the reason "closed by a call to CloseNotification"

# Unlike the system's own, it starts no services of the machine.
_CONFIG = """<busconfig><type>session</type><listen>{address}</listen><policy context="default">
<allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/></policy></busconfig>"""


@dataclass(frozen=True)
class Shown:
    """A notification on the screen: ``actions`` are its buttons, their keys by their names."""

    id: int
    title: str
    body: str
    actions: dict[str, str]


class Desktop:
    """A bus and the notification service on it."""

    def __init__(self, folder: Path) -> None:
        self.address = f"unix:path={folder / 'bus'}"
        self._config = folder / "bus.conf"
        self.shown: list[Shown] = []  # everything that was ever shown
        self.open: dict[int, Shown] = {}
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    @property
    def environment(self) -> dict[str, str | float | bool]:
        """The environment of a program that shall show its notifications here."""
        return {**os.environ, "DBUS_SESSION_BUS_ADDRESS": self.address}

    # ---- what the test does

    def wait_for(self, title: str, timeout: float = 20) -> Shown:
        """The notification with this title, once it is on the screen."""
        return eventually(lambda: [one for one in self.open.values() if one.title == title], timeout, title)[0]

    def press(self, note: Shown, button: str = "") -> None:
        """Press one of its buttons, or click the notification itself."""
        self._signal("ActionInvoked", "us", (note.id, note.actions[button] if button else "default"))

    def dismiss(self, note: Shown) -> None:
        """Close it by hand."""
        self.open.pop(note.id, None)
        self._signal("NotificationClosed", "uu", (note.id, 2))

    # ---- life

    def __enter__(self) -> Self:
        self._config.write_text(_CONFIG.format(address=self.address))
        words = ["dbus-daemon", f"--config-file={self._config}", "--nofork", "--print-address"]
        self._daemon = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        self._out = cast(IO[str], self._daemon.stdout)
        assert self._out.readline(), "the D-Bus daemon did not start"
        self._bus = open_dbus_connection(bus=self.address)
        self._bus.send_and_get_reply(message_bus.RequestName(_NAME))
        self._thread = threading.Thread(target=self._serve, name="desktop", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._daemon.terminate()  # which ends the connection, and with it the thread
        self._daemon.wait(10)
        self._out.close()
        self._thread.join(10)
        self._bus.close()

    def _serve(self) -> None:
        bus: DBusConnection = self._bus
        while True:
            try:
                message = bus.receive()
            except (ConnectionError, OSError, ValueError):
                return
            header = message.header
            if header.message_type is not MessageType.method_call:
                continue
            answer = self._answer(str(header.fields.get(3)), message.body)
            with self._lock:
                bus.send(new_method_return(message, *answer))

    def _answer(self, method: str, body: tuple[Any, ...]) -> tuple[str | None, tuple[Any, ...]]:
        match method:
            case "GetCapabilities":
                return "as", (["actions", "body", "persistence"],)
            case "GetServerInformation":
                return "ssss", ("a desktop of the tests", "aircall", "1", "1.2")
            case "Notify":
                return "u", (self._notify(body),)
            case "CloseNotification":
                self.open.pop(body[0], None)
                self._signal("NotificationClosed", "uu", (body[0], _BY_CLOSE_CALL))
                return None, ()
            case _:
                return None, ()

    def _notify(self, body: tuple[Any, ...]) -> int:
        _, replaces, _, title, text, actions, _, _ = body
        number = replaces or next(self._numbers)
        names = dict(zip(actions[1::2], actions[::2], strict=True))
        # Chromium puts the site before the text.
        note = Shown(number, title, text.split("\n\n", 1)[-1], names)
        self.open[number] = note
        self.shown.append(note)
        return int(number)

    def _signal(self, name: str, signature: str, body: tuple[Any, ...]) -> None:
        with self._lock:
            self._bus.send(new_signal(_SERVICE, name, signature, body))
