"""Settings: what is read, refused in plain words, and documented."""

import hashlib
import os
import re
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from aircall_core.config import ConfigError, Settings, load_settings, unknown_variables

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("AIRCALL_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def runtime() -> Iterator[Path]:
    """A runtime folder with a short path, as real ones have: pytest's own grow with the number of runs."""
    with tempfile.TemporaryDirectory(prefix="ac-", dir="/tmp") as folder, pytest.MonkeyPatch.context() as environment:
        environment.setenv("XDG_RUNTIME_DIR", folder)
        yield Path(folder)


def read(monkeypatch: pytest.MonkeyPatch, **values: str) -> Settings:
    for name, value in values.items():
        monkeypatch.setenv(f"AIRCALL_{name.upper()}", value)
    return load_settings()


def test_defaults_are_a_working_installation_in_the_current_folder(tmp_path: Path) -> None:
    settings = load_settings()
    assert settings.data_dir == tmp_path / "data/run"
    assert settings.database_url == f"sqlite:///{tmp_path}/data/run/aircall.db"
    assert settings.console_address == "http://127.0.0.1:8501"
    assert settings.sip_address == "127.0.0.1:5060"
    assert settings.loopback_only


def test_the_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("AIRCALL_SIP_PORT=5070\nAIRCALL_DESK_PORT=9000\nUNRELATED=1\n")
    settings = read(monkeypatch, sip_port="5080")
    assert (settings.sip_port, settings.desk_port) == (5080, 9000)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("sip_port", "many", "AIRCALL_SIP_PORT: "),
        ("http_port", "0", "AIRCALL_HTTP_PORT: "),
        ("http_port", "8502", "AIRCALL_HTTP_PORT and AIRCALL_DESK_PORT must differ"),
        ("rtp_ports", "20000", "such as 20000-20999"),
        ("rtp_ports", "30000-20000", "such as 20000-20999"),
        ("rtp_ports", "20000-20002", "at least two RTP ports"),
        ("tls_cert", "cert.pem", "go together"),
        ("public_address", "pbx.example.com", "AIRCALL_PUBLIC_ADDRESS: must be an IP address"),
        ("console_url", "desk.example.com", "AIRCALL_CONSOLE_URL: must be an address like"),
        ("desk_url", "https://example.com/desk", "without a path"),
        ("ice_servers", "http://example.com", "begin with stun:"),
        ("ice_servers", '[{"urls": "turn:example.com"}]', "username and a credential"),
        ("ice_servers", "[{", "is not valid JSON"),
        ("trusted_proxies", "10.0.0.1, proxy", "proxy is not an IP address"),
        ("audio_rate", "44100", "AIRCALL_AUDIO_RATE: "),
        ("inbound_share", "1.5", "AIRCALL_INBOUND_SHARE: "),
    ],
)
def test_what_cannot_be_used_is_named_in_plain_words(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        read(monkeypatch, **{name: value})
    assert says in str(refused.value)


def test_all_mistakes_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError) as refused:
        read(monkeypatch, sip_port="x", rtp_ports="y")
    assert len(str(refused.value).splitlines()) == 2


def test_secrets_do_not_show_when_settings_are_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {
        "database_url": "postgresql://u:hush@db/x",
        "metrics_token": "hush",
        "secret_key": "hush",
        "ice_servers": '[{"urls": "turn:t.example.com", "username": "u", "credential": "hush"}]',
    }
    settings = read(monkeypatch, **given)
    assert "hush" not in repr(settings)
    assert "hush" not in str(settings)


def test_ice_servers_in_both_forms(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch, ice_servers="stun:a.example.com, stun:b.example.com:3478").ice_server_list == [
        {"urls": ["stun:a.example.com"]},
        {"urls": ["stun:b.example.com:3478"]},
    ]
    given = '[{"urls": "turn:t.example.com", "username": "u", "credential": "c"}]'
    assert read(monkeypatch, ice_servers=given).ice_server_list == [
        {"urls": ["turn:t.example.com"], "username": "u", "credential": "c"}
    ]


def test_workers_share_no_port(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(monkeypatch, workers="3", rtp_ports="20001-20100")
    ranges = [settings.worker_rtp_range(index) for index in range(3)]
    assert all(first % 2 == 0 and 20001 <= first < last <= 20100 for first, last in ranges)
    taken = [port for first, last in ranges for port in range(first, last + 1)]
    assert len(taken) == len(set(taken))
    signalling = [settings.worker_sip_port(n) for n in range(3)] + [settings.worker_sips_port(n) for n in range(3)]
    assert len(set(signalling)) == 6


@pytest.mark.usefixtures("runtime")
def test_two_installations_on_one_machine_share_no_socket(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    one = read(monkeypatch, data_dir=str(tmp_path / "one"))
    two = read(monkeypatch, data_dir=str(tmp_path / "two"))
    assert one.run_dir != two.run_dir
    assert one.host_id != two.host_id
    assert stat.S_IMODE(one.run_dir.stat().st_mode) == 0o700


@pytest.mark.usefixtures("runtime")
def test_a_runtime_folder_that_others_could_enter_is_closed() -> None:
    settings = load_settings()
    settings.run_dir.chmod(0o755)
    assert stat.S_IMODE(settings.run_dir.stat().st_mode) == 0o700


def test_a_link_planted_in_the_place_of_the_runtime_folder_is_refused(runtime: Path, tmp_path: Path) -> None:
    settings = load_settings()
    settings.run_dir.rmdir()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (runtime / f"aircall-{os.getuid()}-{_digest(settings)}").symlink_to(elsewhere)
    with pytest.raises(ConfigError):
        _ = settings.run_dir


def _digest(settings: Settings) -> str:
    return hashlib.sha256(os.fsencode(settings.data_dir)).hexdigest()[:8]


def test_socket_paths_fit_into_a_socket_address(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / ("long" * 30)))
    settings = read(monkeypatch, data_dir=str(tmp_path / ("deep/" * 40)))
    assert len(os.fsencode(settings.gateway_socket(31))) <= 100


def test_misspelt_variables_are_noticed() -> None:
    environment = {"AIRCALL_SIP_PROT": "1", "AIRCALL_SIP_PORT": "1", "PATH": ""}
    assert unknown_variables(environment) == ["AIRCALL_SIP_PROT"]


def test_misspelt_variables_of_the_file_are_noticed_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("AIRCALL_SIP_HSOT=192.0.2.1\nAIRCALL_SIP_PORT=5070\nOTHER=1\n")
    monkeypatch.chdir(tmp_path)
    assert unknown_variables() == ["AIRCALL_SIP_HSOT"]


def test_sip_is_not_served_over_ipv6(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="AIRCALL_SIP_HOST: must be an IPv4 address"):
        read(monkeypatch, sip_host="[2001:db8::1]")


def test_every_setting_is_documented_with_its_default() -> None:
    text = (ROOT / "docs/settings.md").read_text()
    rows = dict(re.findall(r"^\| `AIRCALL_(\w+)` \| (.*?) \|", text, re.MULTILINE))
    documented = {name.lower(): default for name, default in rows.items()}
    assert set(Settings.model_fields) - set(documented) == set()
    assert set(documented) - set(Settings.model_fields) == {"debian_mirror"}
    for name, field in Settings.model_fields.items():
        if field.default == "":
            assert not documented[name].startswith("`"), f"{name} has no default value to show"
        else:
            default = str(field.default).lower() if isinstance(field.default, bool) else str(field.default)
            assert documented[name] == f"`{default}`", name
