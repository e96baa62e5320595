"""Settings of one installation: `AIRCALL_...` environment variables or a `.env` file; docs/settings.md explains each.

Everything that two processes of an installation must agree on (ports, sockets, node names) is derived here, so that
neither has to be told by the other.
"""

import hashlib
import ipaddress
import json
import os
import re
import socket
import stat
import tempfile
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings import SettingsError as SourceError

ENV_PREFIX = "AIRCALL_"
_SOCKET_PATH_LIMIT = 100  # sun_path holds 108 bytes on Linux; the rest is left to the socket's own file name
_ICE_SCHEMES = ("stun:", "stuns:", "turn:", "turns:")

# Read by a file that is not Settings (the Makefile, deploy/pjsua2/build.py, the tests): known, thus no misspelling.
_OTHER_VARIABLES = frozenset({"AIRCALL_DEBIAN_MIRROR"})


class ConfigError(RuntimeError):
    """A setting is missing, misspelt or impossible. The text is for the person who set it and names the variable."""


class Settings(BaseSettings):
    """The settings of one installation. Names are those of the environment variables without their prefix."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, env_file=".env", extra="ignore", frozen=True)

    data_dir: Path = Path("data/run")
    database_url: str = Field(default="", repr=False)

    http_host: str = "127.0.0.1"
    http_port: int = Field(default=8501, ge=1, le=65535)
    desk_port: int = Field(default=8502, ge=1, le=65535)
    desk_url: str = ""
    console_url: str = ""

    sip_host: str = "127.0.0.1"
    sip_port: int = Field(default=5060, ge=0, le=65535)
    sips_port: int = Field(default=5061, ge=0, le=65535)
    rtp_ports: str = "20000-20999"
    rtc_ports: str = ""
    public_address: str = ""
    tls_cert: str = ""
    tls_key: str = ""
    ice_servers: str = Field(default="", repr=False)

    audio_rate: Literal[8000, 16000] = 8000
    workers: int = Field(default=1, ge=1, le=32)
    gateways: int = Field(default=1, ge=1, le=32)
    gateway_capacity: int = Field(default=10, ge=1, le=100)
    inbound_share: float = Field(default=0.75, gt=0, le=1)
    preconnect_users: int = Field(default=4, ge=0, le=100)
    accept_timeout_ms: int = Field(default=1500, ge=200, le=10_000)
    agent_away_s: int = Field(default=30, ge=2, le=600)
    transfer_ring_s: int = Field(default=25, ge=2, le=120)
    drain_s: int = Field(default=10, ge=0, le=3600)
    start_backend: bool = True
    min_free_disk_mb: int = Field(default=500, ge=0)

    session_days: int = Field(default=14, ge=1, le=365)
    sqlite_full_sync: bool = False
    metrics_token: str = Field(default="", repr=False)
    secret_key: str = Field(default="", repr=False)
    trusted_proxies: str = ""
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().resolve()

    @field_validator("audio_rate", mode="before")
    @classmethod
    def _number(cls, value: Any) -> Any:
        """An environment variable is text, and Literal compares without reading it as a number."""
        return int(value) if isinstance(value, str) and value.strip().isdecimal() else value

    @field_validator("log_level", mode="before")
    @classmethod
    def _lower(cls, value: Any) -> Any:
        return value.lower() if isinstance(value, str) else value

    @field_validator("desk_url", "console_url")
    @classmethod
    def _origin(cls, value: str) -> str:
        value = value.strip().rstrip("/")
        parts = urlsplit(value)
        if value and (parts.scheme not in ("http", "https") or not parts.hostname or parts.path or parts.query):
            raise ValueError("must be an address like https://desk.example.com, without a path")
        return value

    @field_validator("sip_host", "http_host")
    @classmethod
    def _host(cls, value: str) -> str:
        value = value.strip().strip("[]")
        if not value:
            raise ValueError("must be an address to listen at, such as 127.0.0.1 or 0.0.0.0")
        return value

    @field_validator("sip_host")
    @classmethod
    def _version_4(cls, value: str) -> str:
        if ":" in value:
            raise ValueError("must be an IPv4 address or a name: SIP is not served over IPv6")
        return value

    @field_validator("public_address")
    @classmethod
    def _public(cls, value: str) -> str:
        value = value.strip()
        if value:
            try:
                ipaddress.ip_address(value)
            except ValueError:
                raise ValueError("must be an IP address: it is written into SIP and SDP as it stands") from None
        return value

    @field_validator("rtp_ports")
    @classmethod
    def _rtp(cls, value: str) -> str:
        first, last = _port_range(value)
        if last - first < 3:
            raise ValueError("must hold at least two RTP ports and their RTCP ports, such as 20000-20999")
        return f"{first}-{last}"

    @field_validator("rtc_ports")
    @classmethod
    def _rtc(cls, value: str) -> str:
        return "-".join(map(str, _port_range(value))) if value.strip() else ""

    @field_validator("trusted_proxies")
    @classmethod
    def _proxies(cls, value: str) -> str:
        for part in filter(None, (part.strip() for part in value.split(","))):
            try:
                ipaddress.ip_network(part, strict=False)
            except ValueError:
                raise ValueError(f"{part} is not an IP address or network") from None
        return value

    @field_validator("ice_servers")
    @classmethod
    def _ice(cls, value: str) -> str:
        _ice_servers(value)
        return value

    @model_validator(mode="after")
    def _together(self) -> Self:
        if bool(self.tls_cert) != bool(self.tls_key):
            raise ValueError("AIRCALL_TLS_CERT and AIRCALL_TLS_KEY go together: set both or none")
        if self.http_port == self.desk_port:
            raise ValueError("AIRCALL_HTTP_PORT and AIRCALL_DESK_PORT must differ: two processes listen there")
        first, last = self.rtp_port_range
        if (last - first + 1) // self.workers < 4:
            raise ValueError("AIRCALL_RTP_PORTS is too small to be divided among AIRCALL_WORKERS")
        url = self.database_url.strip() or f"sqlite:///{self.data_dir / 'aircall.db'}"
        object.__setattr__(self, "database_url", url)
        return self

    # ---- files

    @property
    def recordings_dir(self) -> Path:
        """Where call recordings are kept."""
        return self.data_dir / "recordings"

    @property
    def logs_dir(self) -> Path:
        """Where a detached backend writes its logs."""
        return self.data_dir / "logs"

    @property
    def run_dir(self) -> Path:
        """A short private folder (0700, ours) for this installation's Unix sockets; made when it does not exist.

        Not inside data_dir, whose path may be longer than the 108 bytes that a socket address holds.
        """
        digest = hashlib.sha256(os.fsencode(self.data_dir)).hexdigest()[:8]
        name = f"aircall-{os.getuid()}-{digest}"
        for base in (os.environ.get("XDG_RUNTIME_DIR", ""), tempfile.gettempdir()):
            if base and os.access(base, os.W_OK | os.X_OK) and len(base) + len(name) < _SOCKET_PATH_LIMIT - 20:
                return _private_dir(Path(base) / name)
        raise ConfigError("No folder for local sockets: set XDG_RUNTIME_DIR to a short path that is yours.")

    # ---- processes

    @property
    def host_id(self) -> str:
        """This installation in node ids: several data folders may share a machine, several machines a store."""
        short = re.sub(r"[^a-z0-9-]", "", socket.gethostname().split(".")[0].lower())[:40] or "host"
        return f"{short}-{hashlib.sha256(os.fsencode(self.data_dir)).hexdigest()[:4]}"

    def worker_socket(self, index: int = 0) -> Path:
        """Where worker `index` listens for PCM links (SOCK_SEQPACKET)."""
        return self.run_dir / f"worker-{index}.pcm"

    def gateway_socket(self, index: int = 0) -> Path:
        """Where gateway `index` serves its HTTP on a Unix socket."""
        return self.run_dir / f"gateway-{index}.http"

    # ---- ports

    @property
    def rtp_port_range(self) -> tuple[int, int]:
        """First and last UDP port of the RTP range of all workers, both included."""
        return _port_range(self.rtp_ports)

    @property
    def rtc_port_range(self) -> tuple[int, int] | None:
        """First and last UDP port for browsers' audio (WebRTC), both included; None: any the system gives."""
        return _port_range(self.rtc_ports) if self.rtc_ports else None

    def worker_rtp_range(self, index: int) -> tuple[int, int]:
        """Worker `index`'s equal share of the RTP range; it begins at an even port (RFC 3550, section 11)."""
        first, last = self.rtp_port_range
        share = (last - first + 1) // self.workers & ~1
        start = first + (first & 1) + index * share
        return start, min(start + share - 1, last)

    def worker_sip_port(self, index: int = 0) -> int:
        """Worker `index`'s UDP and TCP port: every second one, since the TLS ports lie between them. 0 stays 0."""
        return self.sip_port + 2 * index if self.sip_port else 0

    def worker_sips_port(self, index: int = 0) -> int:
        """Worker `index`'s TLS port; used when a certificate is set."""
        return self.sips_port + 2 * index if self.sips_port else 0

    @property
    def ice_server_list(self) -> list[dict[str, Any]]:
        """ICE servers in the shape of RTCPeerConnection's configuration: urls, and username and credential if given."""
        return _ice_servers(self.ice_servers)

    @property
    def loopback_only(self) -> bool:
        """Whether the console can be reached from this machine alone."""
        return _is_loopback(self.http_host) and _is_loopback(urlsplit(self.console_url).hostname or "localhost")

    @property
    def console_address(self) -> str:
        """The console as a person on this machine opens it; the configured address when there is one."""
        host = "127.0.0.1" if self.http_host in ("0.0.0.0", "::") else self.http_host
        return self.console_url or f"http://{_bracketed(host)}:{self.http_port}"

    @property
    def public_url(self) -> str:
        """The desk process as other machines reach it, such as gateways of texts; '' when no address was set."""
        if self.desk_url or not self.console_url:
            return self.desk_url
        console = urlsplit(self.console_url)
        return f"{console.scheme}://{_bracketed(console.hostname or '')}:{self.desk_port}"

    @property
    def sip_address(self) -> str:
        """The SIP address that a trunk or a test phone calls, host:port."""
        return f"{_bracketed(self.public_address or self.sip_host)}:{self.sip_port}"


def load_settings() -> Settings:
    """Read the settings anew. Raises ConfigError, which names each wrong variable in plain words."""
    try:
        return Settings()
    except ValidationError as error:
        lines = [_explain(item["loc"], item["msg"]) for item in error.errors()]
        raise ConfigError("\n".join(lines)) from None
    except SourceError as error:
        raise ConfigError(f"The settings could not be read: {error}") from None


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The settings of this process, read once."""
    return load_settings()


def unknown_variables(environ: Iterable[str] | None = None) -> list[str]:
    """AIRCALL_ variables that no setting reads: most likely misspelt, worth a warning at start.

    Without ``environ``: those of the environment and of the file .env.
    """
    if environ is None:
        environ = {*os.environ, *(name.upper() for name in dotenv_values(".env"))}
    known = {ENV_PREFIX + name.upper() for name in Settings.model_fields} | _OTHER_VARIABLES
    return sorted(name for name in environ if name.startswith(ENV_PREFIX) and name not in known)


def _explain(location: tuple[int | str, ...], message: str) -> str:
    message = message.removeprefix("Value error, ")
    return f"{ENV_PREFIX}{str(location[0]).upper()}: {message}" if location else message


def _port_range(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"\s*(\d{1,5})\s*-\s*(\d{1,5})\s*", text)
    if not match or not 1024 <= int(match[1]) <= int(match[2]) <= 65535:
        raise ValueError("must be two ports between 1024 and 65535 with a hyphen, such as 20000-20999")
    return int(match[1]), int(match[2])


def _ice_servers(text: str) -> list[dict[str, Any]]:
    """JSON (a list of {urls, username, credential}) or a comma list of urls."""
    text = text.strip()
    if text.startswith(("[", "{")):
        try:
            parsed = json.loads(text)
        except json.JSONDecodeError as error:
            raise ValueError(f"is not valid JSON ({error.msg} at character {error.pos})") from None
        servers = parsed if isinstance(parsed, list) else [parsed]
    else:
        servers = [{"urls": [part.strip()]} for part in text.split(",") if part.strip()]
    return [_ice_server(server) for server in servers]


def _ice_server(server: Any) -> dict[str, Any]:
    if isinstance(server, str):
        server = {"urls": [server]}
    if not isinstance(server, dict) or not set(server) <= {"urls", "username", "credential"}:
        raise ValueError('must be a JSON list of {"urls", "username", "credential"}, or a comma list of urls')
    urls = server.get("urls")
    urls = [urls] if isinstance(urls, str) else urls
    if not isinstance(urls, list) or not urls or not all(isinstance(url, str) for url in urls):
        raise ValueError("each ICE server needs urls")
    if not all(url.startswith(_ICE_SCHEMES) for url in urls):
        raise ValueError("the urls of ICE servers begin with stun:, stuns:, turn: or turns:")
    if any(u.startswith("turn") for u in urls) and not (server.get("username") and server.get("credential")):
        raise ValueError("a turn: server needs a username and a credential, so give it as JSON")
    return {**server, "urls": urls}


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _private_dir(path: Path) -> Path:
    """Make or check a folder that nobody else can enter: a name in the shared temporary folder may be taken."""
    path.mkdir(mode=0o700, exist_ok=True)
    state = os.lstat(path)
    if not stat.S_ISDIR(state.st_mode) or state.st_uid != os.getuid():
        raise ConfigError(f"{path} belongs to someone else; remove it or set XDG_RUNTIME_DIR to a folder of yours.")
    if state.st_mode & 0o077:
        path.chmod(0o700)
    return path
