"""Telephones for tests: our test phone (pjsua2) and baresip, each a real user agent in its own process.

SIPp is in sipp.py, hand-made messages in rawsip.py.
"""

import json
import queue
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Self

from tests.support.audio import Samples, write_wav
from tests.support.ports import free_ports
from tests.support.processes import Process, eventually

Happening = dict[str, Any]


class Happenings:
    """What a peer reported, in order; `wait_for` consumes up to the one it looks for, `seen` keeps all."""

    def __init__(self) -> None:
        self.seen: list[Happening] = []
        self._queue: queue.Queue[Happening | None] = queue.Queue()

    def put(self, happening: Happening | None) -> None:
        """Add one; None: no more will come."""
        if happening is not None:
            self.seen.append(happening)
        self._queue.put(happening)

    def wait_for(self, key: str, value: str, timeout: float) -> Happening:
        """The next happening whose `key` is `value`; AssertionError when it does not come, with all that came."""
        until = time.monotonic() + timeout
        while True:
            try:
                happening = self._queue.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no {value!r} within {timeout} s; seen: {self.seen}") from None
            if happening is None:
                self._queue.put(None)
                raise AssertionError(f"ended without {value!r}; seen: {self.seen}")
            if happening.get(key) == value:
                return happening


class TestPhone(Process):
    """`python -m aircall_core phone ...`, followed by its JSON lines.

    with TestPhone.call(tmp_path, "+33199000001", server="127.0.0.1:5060", audio=tone(440, 5, 8000)) as phone:
        phone.wait_for("answered")
        phone.hang_up()
        assert phone.wait_for("ended")["code"] == 200
    """

    __test__ = False  # not a test class, whatever its name says to pytest

    def __init__(self, words: list[str], folder: Path, name: str) -> None:
        phone = "from aircall_core.sip.phone import app; app()"
        super().__init__(name, [sys.executable, "-c", phone, *words], folder, {"AIRCALL_DATA_DIR": str(folder)})
        self.happenings = Happenings()
        self._reader = threading.Thread(target=self._read, name=f"{name}-reader", daemon=True)
        self._reader.start()

    @classmethod
    def call(
        cls, folder: Path, number: str, *, server: str, audio: Samples | None = None, caller: str = "",
        display: str = "", digits: str = "", record: Path | None = None, hangup_after: float | None = None,
        ring_for: float = 60, name: str = "phone",
    ) -> Self:  # fmt: skip
        """Call `number` at `server`. `audio` (8 kHz) is repeated from the answer on; without it the test message."""
        words = ["call", number, "--server", server, "--ring-for", str(ring_for)]
        words += ["--from", caller] if caller else []
        words += ["--name", display] if display else []
        words += ["--digits", digits] if digits else []
        return cls(_with_sound(words, folder, name, audio, record, hangup_after), folder, name)

    @classmethod
    def answer(
        cls, folder: Path, *, port: int, host: str = "127.0.0.1", audio: Samples | None = None,
        record: Path | None = None, answer_after: float = 0.2, hangup_after: float | None = None, name: str = "callee",
    ) -> Self:  # fmt: skip
        """Wait for one call at host:port and answer it; returns once it listens."""
        words = ["answer", "--host", host, "--port", str(port), "--answer-after", str(answer_after)]
        phone = cls(_with_sound(words, folder, name, audio, record, hangup_after), folder, name)
        phone.wait_for("listening")
        return phone

    def _read(self) -> None:
        with open(self.out_path, encoding="utf-8") as lines:
            for line in _lines_until(lines.readline, self.popen.poll):
                self.happenings.put(json.loads(line))
        self.happenings.put(None)

    def wait_for(self, event: str, timeout: float = 20) -> Happening:
        """The next line with this `event`."""
        return self.happenings.wait_for("event", event, timeout)

    def hang_up(self) -> None:
        """As Ctrl-C does: cancel or hang up."""
        self.kill(signal.SIGINT)


def _with_sound(
    words: list[str], folder: Path, name: str, audio: Samples | None, record: Path | None, hangup_after: float | None
) -> list[str]:
    folder.mkdir(parents=True, exist_ok=True)
    if audio is not None:
        words += ["--play", str(write_wav(folder / f"{name}.wav", audio, 8000)), "--loop"]
    words += ["--record", str(record)] if record else []
    words += ["--hangup-after", str(hangup_after)] if hangup_after is not None else []
    return words


def _lines_until(readline: Any, ended: Any) -> Iterator[str]:
    """Whole lines of a growing file, until its writer has ended and all is read."""
    pause, part = threading.Event(), ""
    while True:
        over = ended() is not None
        piece = readline()
        part += piece
        if part.endswith("\n"):
            yield part
            part = ""
        elif over and not piece:
            return
        elif not piece:
            pause.wait(0.01)


class Baresip(Process):
    """baresip with `audio` as its microphone, played once; what it hears is kept in `folder` (see `heard`).

    `host` must be an address of `interface`; on the loopback give both as 127.0.0.1 (baresip wants it so). `account`
    holds further parameters of baresip's account line: `;auth_pass=secret`, `;mediaenc=srtp-mand` ...
    """

    def __init__(
        self, folder: Path, *, audio: Samples, host: str = "127.0.0.1", interface: str = "127.0.0.1",
        caller: str = "+33199005002", domain: str = "", rate: int = 8000, name: str = "baresip",
        transport: str = "udp", account: str = "", modules: Sequence[str] = (),
    ) -> None:  # fmt: skip
        folder.mkdir(parents=True, exist_ok=True)
        sound = write_wav(folder / f"{name}.wav", audio, rate)
        sip, control = free_ports(2, host)
        settings = [
            f"sip_listen {host}:{sip}", f"net_interface {interface}", f"ctrl_tcp_listen {host}:{control}",
            f"audio_source aufile,{sound}", "audio_alert none", f"snd_path {folder}", "rtp_ports 30000-39998",
            "jitter_buffer_delay 2-4", "module_path /usr/lib/baresip/modules", "module g711.so", "module aufile.so",
            "module sndfile.so", "module_app account.so", "module_app menu.so", "module_app ctrl_tcp.so",
            *(f"module {module}.so" for module in modules),
        ]  # fmt: skip
        (folder / "config").write_text("\n".join(settings) + "\n")
        account = f"<sip:{caller}@{domain or host};transport={transport}>;regint=0;audio_codecs=PCMA,PCMU{account}"
        (folder / "accounts").write_text(account + "\n")
        (folder / "contacts").write_text("")
        super().__init__(name, ["baresip", "-f", str(folder)], folder)
        self.happenings = Happenings()
        self._control = eventually(lambda: _connected(host, control), what="baresip's control port")[0]
        self._reader = threading.Thread(target=self._read, name=f"{name}-reader", daemon=True)
        self._reader.start()

    def command(self, command: str, params: str = "") -> None:
        """One of baresip's commands: dial, hangup, mute, hold, resume ..."""
        text = json.dumps({"command": command, "params": params, "token": "t"}).encode()
        self._control.sendall(b"%d:%s," % (len(text), text))

    def dial(self, uri: str) -> None:
        """Call a sip: address."""
        self.command("dial", uri)

    def wait_for(self, event: str, timeout: float = 20) -> Happening:
        """The next event of this type: CALL_RINGING, CALL_ESTABLISHED, CALL_CLOSED ..."""
        return self.happenings.wait_for("type", event, timeout)

    @property
    def heard(self) -> Path:
        """The WAV file of what it received; whole once it has been stopped."""
        return next(self.folder.glob("dump-*-dec.wav"))

    def _read(self) -> None:
        data = b""
        while piece := _received(self._control):
            data += piece
            while b":" in data:  # netstrings: <length>:<text>,
                length, _, rest = data.partition(b":")
                if len(rest) <= int(length):
                    break
                self.happenings.put(json.loads(rest[: int(length)]))
                data = rest[int(length) + 1 :]
        self.happenings.put(None)

    def stop(self, timeout: float = 5) -> int:
        """End it, and its control connection."""
        status = super().stop(timeout)
        self._control.close()
        return status


def _connected(host: str, port: int) -> list[socket.socket]:
    try:
        return [socket.create_connection((host, port))]
    except ConnectionRefusedError:
        return []


def _received(connection: socket.socket) -> bytes:
    try:
        return connection.recv(65536)
    except OSError:  # closed by stop()
        return b""
