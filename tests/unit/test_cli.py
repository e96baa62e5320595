"""The command line: what an installer does without a browser, in words and in JSON."""

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aircall_core import backend
from aircall_core.cli import main
from aircall_core.config import get_settings

ROOT = Path(__file__).parents[2]


class Cli:
    """Commands on an installation of their own, in this process: starting Python for each takes too long."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.monkeypatch, self.capsys = folder, monkeypatch, capsys
        for name in [name for name in os.environ if name.startswith("AIRCALL_")]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("AIRCALL_DATA_DIR", str(folder))

    def run(self, *words: str, stdin: str = "", status: int = 0) -> str:
        """Standard output; standard error when the command is to fail."""
        get_settings.cache_clear()
        self.monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        with pytest.raises(SystemExit) as ended:
            main(list(words))
        printed = self.capsys.readouterr()
        assert (ended.value.code or 0) == status, printed
        return printed.err if status else printed.out

    def json(self, *words: str, stdin: str = "") -> Any:
        """What `--json` printed."""
        return json.loads(self.run(*words, "--json", stdin=stdin))


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Cli]:
    yield Cli(tmp_path, monkeypatch, capsys)
    get_settings.cache_clear()


def test_help_names_every_command_without_loading_the_system(cli: Cli) -> None:
    text = cli.run("--help")
    promised = ["backend", "users", "teams", "numbers", "trunks", "readiness", "demo", "phone", "db"]
    assert [name for name in promised if not re.search(rf"\b{name}\b", text)] == []
    loaded = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "aircall_core", "--help"],
        capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True,
    ).stderr  # fmt: skip
    heavy = ("sqlalchemy", "streamlit", "aiortc", "pjsua2", "pydantic", "numpy", "starlette")
    assert [name for name in heavy if re.search(rf"\| +{name}$", loaded, re.MULTILINE)] == []


def test_an_installation_is_set_up_by_commands_alone(cli: Cli) -> None:
    person = cli.json("users", "add", "Ada Byron", "Ada@Example.com", "--role", "administrator", "--password-stdin",
                      stdin="a long passphrase for tests\n")  # fmt: skip
    invited = cli.json("users", "add", "Bob", "bob@example.com")
    assert re.fullmatch(r"http://127\.0\.0\.1:8502/session/join\?token=[\w-]{43}", invited["link"])
    cli.run("teams", "add", "Sales", "--user", "bob@example.com")
    cli.run("numbers", "add", "Main", "+33 1 99 00 12 34", "--user", "ADA@example.com", "--team", "sales",
            "--recording", "notice")  # fmt: skip
    cli.run("trunks", "add", "Carrier", "address", "--cidr", "192.0.2.0/24")

    users = {user["email"]: user for user in cli.json("users", "list")}
    assert users["ada@example.com"]["id"] == person["id"]
    assert [users[email]["state"] for email in sorted(users)] == ["active", "invited"]
    [number] = cli.json("numbers", "list")
    assert (number["number"], number["country"], number["recording"]) == ("+33199001234", "FR", "notice")
    assert (number["users"], number["teams"]) == (["ada@example.com"], ["Sales"])
    [trunk] = [trunk for trunk in cli.json("trunks", "list") if trunk["name"] == "Carrier"]
    assert trunk["cidrs"] == ["192.0.2.0/24"]
    assert "+33199001234" in cli.run("numbers", "list")

    cli.run("numbers", "change", "main", "--ring", "45", "--user", "bob@example.com", "--off")
    [number] = cli.json("numbers", "list")
    assert (number["ring_s"], number["users"], number["enabled"]) == (45, ["bob@example.com"], False)
    cli.run("trunks", "change", "Carrier", "--outbound", "192.0.2.10:5080", "--dial-format", "national")
    cli.run("numbers", "change", "Main", "--outbound", "carrier", "--caller-id", "+33199001299", "--cap", "50")
    [number] = cli.json("numbers", "list")
    assert (number["outbound"], number["caller_id"]) == ("Carrier", "+33199001299")
    assert "calls out through this trunk" in cli.run("trunks", "remove", "Carrier", status=1)
    cli.run("numbers", "change", "Main", "--outbound", "")
    cli.run("users", "change", "bob@example.com", "--role", "supervisor")
    assert {user["role"] for user in cli.json("users", "list")} == {"administrator", "supervisor"}
    for what in (("numbers", "Main"), ("teams", "Sales"), ("trunks", "Carrier")):
        cli.run(what[0], "remove", what[1])
        assert what[1] not in cli.run(what[0], "list")


def test_a_trunk_password_is_read_from_standard_input_and_never_shown(cli: Cli) -> None:
    cli.run("trunks", "add", "Carrier", "register", "--host", "sip.example.com", "--username", "u1",
            "--password-stdin", stdin="open sesame\n")  # fmt: skip
    assert "sesame" not in cli.run("trunks", "list", "--json")
    assert b"sesame" not in (cli.folder / "aircall.db").read_bytes()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("numbers", "add", "Main", "banana"), "number: Enter a number like"),
        (("users", "add", "X", "not-an-address"), "email: Enter an e-mail address"),
        (("users", "link", "nobody@example.com"), "nobody@example.com was not found"),
        (("numbers", "add", "Main", "+33199001234", "--user", "zed"), "The user zed was not found"),
        (("trunks", "add", "Everybody", "address", "--cidr", "0.0.0.0/0"), "lets everybody on the internet in"),
        (("db", "restore", "nothing.gz"), "nothing.gz is not a whole backup"),
        (("stop", "now"), "unexpected extra argument"),
    ],
)
def test_mistakes_get_one_plain_sentence(cli: Cli, words: tuple[str, ...], says: str) -> None:
    assert says in cli.run(*words, status=2 if words[0] == "stop" else 1)


def test_a_wrong_setting_is_named(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRCALL_SIP_PORT", "x")
    assert "AIRCALL_SIP_PORT: " in cli.run("users", "list", status=1)


def test_a_backup_comes_back_in_another_installation(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cli.run("users", "add", "Bob", "bob@example.com")
    made = cli.json("db", "backup", str(tmp_path))
    monkeypatch.setenv("AIRCALL_DATA_DIR", str(tmp_path / "other"))
    cli.run("db", "restore", made["file"])
    assert [user["email"] for user in cli.json("users", "list")] == ["bob@example.com"]


def test_nothing_is_restored_under_processes_that_a_killed_backend_left(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    cli.run("users", "add", "Bob", "bob@example.com")
    made = cli.json("db", "backup", str(cli.folder))
    monkeypatch.setattr(backend, "left_running", lambda settings: {"desk-0": backend.this_process()})
    assert "these live on: desk-0. Stop them first" in cli.run("db", "restore", made["file"], "--force", status=1)


def test_the_key_is_replaced(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    cli.run("trunks", "add", "Carrier", "digest", "--username", "u", "--password-stdin", stdin="pass\n")
    old, new = (cli.folder / "secret.key").read_text(), "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE="
    monkeypatch.setenv("AIRCALL_SECRET_KEY", f"{new},{old}")
    assert cli.json("db", "reseal") == {"sealed": 1, "unreadable": []}
    monkeypatch.setenv("AIRCALL_SECRET_KEY", new)
    assert cli.json("db", "reseal")["sealed"] == 1  # read with the new key alone
    monkeypatch.setenv("AIRCALL_SECRET_KEY", old)
    assert cli.run("db", "reseal", status=1).endswith("entered again: trunk Carrier.\n")


def test_without_a_backend_the_system_is_not_ready_and_stopping_it_says_so(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRCALL_DESK_PORT", "1")
    cli.run("readiness", status=1)
    assert "No backend runs here" in cli.run("stop")
