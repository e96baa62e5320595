"""Which web origins belong to this installation: the console's and the desk's, and no other.

A browser sends the origin of the page with every unsafe request and with every WebSocket handshake, and a page cannot
forge it. So "is this origin ours" is the whole defence against other sites acting with a user's cookie (RFC 6454).
"""

from dataclasses import dataclass
from urllib.parse import urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Origins:
    """The origins of one installation.

    ``console_url`` and ``desk_url`` are the configured addresses ('' when not configured). Without them the origins
    follow the host name that the browser itself used, since a LAN reaches one machine by several names.
    """

    console_url: str
    desk_url: str
    http_port: int
    desk_port: int

    def console(self, host: str, scheme: str = "http") -> str:
        """The console's origin as the browser that sent this Host header sees it."""
        if self.console_url:
            return self.console_url
        return _beside(self.desk_url, host, scheme, self.http_port)

    def desk(self, host: str, scheme: str = "http") -> str:
        """The desk's origin as the browser that sent this Host header sees it."""
        if self.desk_url:
            return self.desk_url
        return _beside(self.console_url, host, scheme, self.desk_port)

    def knows(self, origin: str, host: str) -> bool:
        """Whether a page of this origin may act here. ``host`` is the request's Host header."""
        asked = _parts(origin)
        if asked is None:
            return False
        if self.console_url or self.desk_url:
            return asked in (_parts(self.console(host)), _parts(self.desk(host)))
        _, name, port = asked
        return name == host_name(host) and port in (self.http_port, self.desk_port)

    def way_back(self, target: str, host: str, scheme: str = "http") -> str:
        """Where to send a user after signing in: ``target`` if it lies in the console, else the console's home.

        ``target`` is untrusted: a path of the console or a whole address. Anything else would make the sign-in page
        an open redirect for phishing.
        """
        home = self.console(host, scheme)
        if not target or any(ord(c) < 33 for c in target) or "\\" in target:
            return home + "/"
        if target.startswith("/") and not target.startswith("//"):
            return home + target
        try:
            parts = urlsplit(target)
        except ValueError:
            return home + "/"
        if "@" in parts.netloc or _parts(f"{parts.scheme}://{parts.netloc}") != _parts(home):
            return home + "/"
        return target


def host_name(host: str) -> str:
    """The name or address of a Host header, without its port; '' when it is not one."""
    try:
        return (urlsplit("//" + host).hostname or "").lower()
    except ValueError:
        return ""


def _parts(origin: str) -> tuple[str, str, int] | None:
    try:
        parts = urlsplit(origin)
        port = parts.port or _DEFAULT_PORTS.get(parts.scheme, 0)
    except ValueError:
        return None
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or parts.path or parts.query or "@" in parts.netloc:
        return None
    return parts.scheme, parts.hostname.lower(), port


def _beside(other_url: str, host: str, scheme: str, port: int) -> str:
    """The origin of the other half of this installation: the same host name, at its own port."""
    if other_url:
        parts = urlsplit(other_url)
        scheme, name = parts.scheme, parts.hostname or ""
    else:
        name = host_name(host) or "127.0.0.1"
    shown = f"[{name}]" if ":" in name else name
    return f"{scheme}://{shown}" if port == _DEFAULT_PORTS[scheme] else f"{scheme}://{shown}:{port}"
