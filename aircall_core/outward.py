"""Asking addresses that somebody has typed in: never the inside of a network, no redirects, not without end.

A name is looked up once, every address it has is checked, and the connection goes to a checked one: a name that answers
otherwise a moment later leads nowhere else.
"""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from functools import lru_cache
from typing import Final

import httpx

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]

# Addresses of IPv6 that stand for one of IPv4, which is then what counts (RFC 6052, RFC 3056; Teredo is not global).
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")


class OutwardError(Exception):
    """Why there is no answer, as a code for logs and texts: it never holds the address."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def is_public(text: str) -> bool:
    """Whether this IP address is one of the public internet."""
    try:
        address: Address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        address = inner or address
    return address.is_global and not address.is_multicast


@lru_cache(maxsize=1)
def _trusted() -> ssl.SSLContext:
    """Whose certificates count. Reading them takes a tenth of a second: once, and never in an event loop."""
    return httpx.create_ssl_context(trust_env=False)


async def resolve(host: str, port: int) -> list[str]:
    """The addresses of a name, as this machine looks them up."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(one[4][0]) for one in found]


class Guard(httpx.AsyncBaseTransport):
    """Connects to public addresses only, unless ``private`` ones are allowed; plain http only to these.

    Raises OutwardError: ``private_address``, ``not_https``, ``no_such_host``.
    """

    def __init__(self, *, private: bool = False, resolve: Resolve = resolve) -> None:
        self._private, self._resolve = private, resolve
        # One for each host: connections are kept by address, and two hosts of one address have two certificates.
        self._ways: dict[str, httpx.AsyncHTTPTransport] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request to an address of its host that has been checked."""
        url = request.url
        if url.scheme != "https" and not (self._private and url.scheme == "http"):
            raise OutwardError("not_https")
        address = await self._address(url.host, url.port or (443 if url.scheme == "https" else 80))
        way = self._ways.get(url.host)
        if way is None:
            trusted = await asyncio.to_thread(_trusted)
            way = self._ways.setdefault(url.host, httpx.AsyncHTTPTransport(verify=trusted, trust_env=False))
        request.url = url.copy_with(host=address)  # the header `Host` is set already
        request.extensions = {**request.extensions, "sni_hostname": url.host}
        return await way.handle_async_request(request)

    async def _address(self, host: str, port: int) -> str:
        try:
            found = await self._resolve(host, port)
        except (OSError, UnicodeError):
            raise OutwardError("no_such_host") from None
        if not found:
            raise OutwardError("no_such_host")
        if not self._private and not all(is_public(one) for one in found):
            raise OutwardError("private_address")
        return found[0]

    async def aclose(self) -> None:
        """Close all connections."""
        for way in self._ways.values():
            await way.aclose()


def client(*, private: bool = False, resolve: Resolve = resolve) -> httpx.AsyncClient:
    """A client over a Guard that follows no redirect and takes nothing from the environment."""
    return httpx.AsyncClient(transport=Guard(private=private, resolve=resolve), follow_redirects=False, trust_env=False)


async def fetch(http: httpx.AsyncClient, request: httpx.Request, *, seconds: float, most: int) -> httpx.Response:
    """The answer, read whole, whatever its status. OutwardError: too_slow, unreachable, redirected, too_large.

    ``seconds`` is for all of it, from the name to the last byte; ``most`` counts the bytes of the unpacked body.
    """
    try:
        async with asyncio.timeout(seconds):
            return await _read(http, request, most)
    except (TimeoutError, httpx.TimeoutException):
        raise OutwardError("too_slow") from None
    except (httpx.HTTPError, httpx.InvalidURL, OSError):
        raise OutwardError("unreachable") from None


async def _read(http: httpx.AsyncClient, request: httpx.Request, most: int) -> httpx.Response:
    answer = await http.send(request, stream=True)
    try:
        if answer.is_redirect:
            raise OutwardError("redirected")
        body = bytearray()
        async for piece in answer.aiter_bytes(16_384):
            body += piece
            if len(body) > most:
                raise OutwardError("too_large")
    finally:
        await answer.aclose()
    kept = {name: value for name, value in answer.headers.items() if name not in ("content-encoding", "content-length")}
    return httpx.Response(answer.status_code, headers=kept, content=bytes(body), request=request)
