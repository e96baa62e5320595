"""The command line beside a running installation: what it changes is in force with the next call, without a restart."""

import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aircall_core.cli import main
from aircall_core.config import get_settings
from tests.support.desk_system import PASSWORD, Line, System, User
from tests.support.processes import eventually
from tests.support.rawsip import RawCaller
from tests.system.kit import begin_talk, log_lines

pytestmark = [pytest.mark.sip, pytest.mark.timeout(300)]


class Commands:
    """Commands of an installation, run in this process: starting Python for each takes too long."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.monkeypatch, self.capsys = monkeypatch, capsys

    def run(self, system: System, *words: str, stdin: str = "", status: int = 0) -> str:
        """All that it printed."""
        for name, value in system.environment.items():
            self.monkeypatch.setenv(name, value)
        get_settings.cache_clear()
        self.monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        self.capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(list(words))
        printed = self.capsys.readouterr()
        assert (ended.value.code or 0) == status, printed
        return printed.out + printed.err

    def json(self, system: System, *words: str, stdin: str = "") -> Any:
        """What it printed with --json."""
        return json.loads(self.run(system, *words, "--json", stdin=stdin))


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Commands]:
    """The command line."""
    yield Commands(monkeypatch, capsys)
    get_settings.cache_clear()


def answers(system: System, number: str) -> int:
    """What a caller of this number meets first."""
    with RawCaller("127.0.0.1", system.settings.sip_port) as caller:
        caller.invite(number)
        status = caller.wait_for_any(180, 403, 404).status
        if status == 180:
            caller.cancel()
            caller.wait_final()  # 487, or the 200 of a voicemail, which crossed the CANCEL: nobody is free
        return status


def test_commands_on_a_running_installation_and_its_backup_in_another(tmp_path: Path, commands: Commands) -> None:
    with System(tmp_path / "first", min_free_disk_mb=0) as system:
        assert commands.json(system, "readiness")["ready"] is True
        created = commands.json(system, "users", "add", "Ada", "ada@example.com", "--role", "administrator",
                           "--password-stdin", stdin=f"{PASSWORD}\n")  # fmt: skip
        ada = User(created["id"], "Ada", "ada@example.com")
        system.sign_in(ada)
        assert answers(system, "+33199000001") == 404
        commands.run(system, "teams", "add", "Sales", "--user", "ada@example.com")
        commands.run(system, "numbers", "add", "Main", "+33 1 99 00 00 01", "--team", "Sales", "--recording", "on")
        eventually(lambda: answers(system, "+33199000001") == 180, 10, "the worker knows the line")
        tab = system.on_duty(ada)
        known: set[str] = set()
        talk = begin_talk(system, Line("", "+33199000001"), ada, tab, known)

        # Everything below happens while this call is up, and it does not notice.
        commands.run(system, "trunks", "add", "Carrier", "register", "--host", "127.0.0.1:9", "--username", "desk",
            "--password-stdin", stdin="open sesame\n")  # fmt: skip
        [carrier] = [trunk for trunk in commands.json(system, "trunks", "list") if trunk["name"] == "Carrier"]
        assert carrier["kind"] == "register"
        tab.wait_for("trunk.changed")
        commands.run(system, "numbers", "change", "Main", "--off")
        eventually(lambda: answers(system, "+33199000001") == 404, 10, "the line is off")
        commands.run(system, "numbers", "change", "Main", "--on")
        eventually(lambda: answers(system, "+33199000001") == 180, 10, "the line is on")
        made = commands.json(system, "db", "backup", str(tmp_path))
        assert Path(made["file"]).stat().st_mode & 0o077 == 0, "a backup is for its owner alone"
        refused = commands.run(system, "db", "restore", made["file"], "--force", status=1)
        assert "Stop it first" in refused
        assert [one for one in talk.phone.happenings.seen if one["event"] == "ended"] == []
        talk.phone.hang_up()
        tab.wait_for("call.ended", call_id=talk.id)
        last = commands.run(system, "users", "change", "ada@example.com", "--role", "supervisor", status=1)
        assert "last administrator" in last
        commands.run(system, "users", "add", "Bob", "bob@example.com", "--role", "administrator", "--password-stdin",
            stdin=f"{PASSWORD}\n")  # fmt: skip
        commands.run(system, "users", "change", "ada@example.com", "--role", "supervisor")
        assert system.post(ada, "/desk/users", {"name": "Eve", "email": "e@x.org", "role": "agent"}).status_code == 403
        assert commands.run(system, "stop", "--now").strip() == "Stopped."
        assert system.backend is not None
        assert system.backend.wait(20) == 0
        assert "does not answer" in commands.run(system, "readiness", status=1)
    assert "sesame" not in Path(made["file"]).read_bytes().decode("latin-1")

    # The backup fills another installation, which has another key: its trunks' passwords must be typed again.
    other = System(tmp_path / "second", min_free_disk_mb=0)
    restored = commands.json(other, "db", "restore", made["file"])
    assert restored["rows"] == made["rows"]
    with other:
        assert other.get(ada, "/session/me").status_code == 401, "everybody signs in anew"
        other.sign_in(ada)
        assert other.get(ada, "/session/me").json()["user"]["name"] == "Ada"
        # The call that was up when the backup was made is nobody's here: it is closed, and its agent free again.
        assert other.wait_for("call.ended", call_id=talk.id, timeout=30).event.data["outcome"] == "lost"
        tab = other.on_duty(ada)
        again = begin_talk(other, Line("", "+33199000001"), ada, tab, set())
        again.phone.hang_up()
        tab.wait_for("call.ended", call_id=again.id)
        [carrier] = [trunk for trunk in commands.json(other, "trunks", "list") if trunk["name"] == "Carrier"]
        assert carrier["state"] == "failed"
        assert log_lines(other.log, "trunk_unreadable")[0]["trunk"] == carrier["id"]
        assert log_lines(other.log, "child_exited") == []
