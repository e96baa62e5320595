"""The goodbye after a crash, built from what the store kept: a BYE for a call that was answered, 480 for one that rang.

RFC 3261 12.2.1.1 (requests within a dialog, seen from the UAS), 15.1.1 and 8.2.6.2 (headers of a response). Over UDP
only: a TCP or TLS peer noticed the lost connection, and its answer would want one.
"""

import ipaddress
import os
import re
import select
import socket
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from aircall_core.logs import get_logger
from aircall_core.sip.message import Message, address, printable

log = get_logger(__name__)

# Above any number the library has used in the dialog (it begins below 2^15), below 2^31 (RFC 3261 8.1.1.5).
CSEQ = 1 << 20
RESEND_S = (0.5, 1.0, 2.0)  # timer E of RFC 3261 17.1.2.2, given up early: the far end's own watchdog is the backstop


@dataclass(frozen=True)
class Dialog:
    """What identifies an answered call to its far end, as JSON-able values."""

    call_id: str
    local: str  # From of our requests: the INVITE's To with our tag
    remote: str  # To of our requests: the INVITE's From
    target: str  # the far end's Contact
    destination: str  # ip:port the INVITE came from
    transport: str
    routes: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any] | None:
        """For the call's row; None where broken bytes are in it, which no database takes."""
        values = asdict(self)
        texts = [*(text for text in values.values() if isinstance(text, str)), *self.routes]
        return values if all(text == printable(text) for text in texts) else None


def dialog_of(invite: Message, local_tag: str, source: str) -> Dialog:
    """The dialog that our answer to this INVITE made."""
    contact = address(invite.get("contact")).uri or address(invite.get("from")).uri
    via = invite.get("via").split(" ")[0].split("/")
    return Dialog(
        call_id=invite.get("call-id"),
        local=f"{invite.get('to')};tag={local_tag}",
        remote=invite.get("from"),
        target=contact,
        destination=source,
        transport=via[-1].lower() if len(via) == 3 else "udp",
        routes=invite.all("record-route"),
    )


def dialog_of_answer(answer: Message, source: str) -> Dialog:
    """The dialog that this 200 to an INVITE of ours has made (RFC 3261 12.1.2: its route is read backwards)."""
    via = answer.get("via").split(" ")[0].split("/")
    return Dialog(
        call_id=answer.get("call-id"),
        local=answer.get("from"),
        remote=answer.get("to"),
        target=address(answer.get("contact")).uri or address(answer.get("to")).uri,
        destination=source,
        transport=via[-1].lower() if len(via) == 3 else "udp",
        routes=answer.all("record-route")[::-1],
    )


@dataclass(frozen=True)
class Ringing:
    """What a final answer to an INVITE needs, as JSON-able values."""

    call_id: str
    vias: list[str]
    sender: str  # the INVITE's From
    to: str  # its To with our tag
    cseq: str
    destination: str  # ip:port the INVITE came from
    transport: str

    def as_json(self) -> dict[str, Any] | None:
        """For the call's row; None where broken bytes are in it, which no database takes."""
        values = asdict(self)
        texts = [*(text for text in values.values() if isinstance(text, str)), *self.vias]
        return values if all(text == printable(text) for text in texts) else None


def ringing_of(invite: Message, local_tag: str, source: str) -> Ringing:
    """The transaction that our 180 keeps open."""
    via = invite.get("via").split(" ")[0].split("/")
    return Ringing(
        call_id=invite.get("call-id"),
        vias=invite.all("via"),
        sender=invite.get("from"),
        to=f"{invite.get('to')};tag={local_tag}",
        cseq=invite.get("cseq"),
        destination=source,
        transport=via[-1].lower() if len(via) == 3 else "udp",
    )


def unavailable(ringing: Ringing) -> bytes:
    """The final answer's text. The top Via is completed as the server does it (RFC 3261 18.2.1, RFC 3581 section 4)."""
    ip, _, port = ringing.destination.rpartition(":")
    top = re.sub(r";\s*rport(?!\s*=)", f";rport={port}", ringing.vias[0], flags=re.IGNORECASE)
    lines = [
        "SIP/2.0 480 Temporarily Unavailable",
        f"Via: {top};received={ip}",
        *(f"Via: {via}" for via in ringing.vias[1:]),
        f"From: {ringing.sender}",
        f"To: {ringing.to}",
        f"Call-ID: {ringing.call_id}",
        f"CSeq: {ringing.cseq}",
        'Reason: SIP;cause=500;text="Worker restarted"',
        "Content-Length: 0",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape")


def let_go(stored: Iterable[dict[str, Any]], host: str, port: int) -> int:
    """Ends the calls that rang when their worker died, else their callers would hear it ring for minutes; how many.

    From our own SIP port, which is therefore borrowed before the library opens it: firewalls let nothing else through.
    Twice, since nobody waits for the ACK.
    """
    told = 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.bind(("" if host == "0.0.0.0" else host, port))
        except OSError as problem:  # somebody else has it: then from any port
            log.warning("sip_port_not_borrowed", error=problem.strerror)
        for values in stored:
            try:
                ringing = Ringing(**values)
                if ringing.transport == "udp":
                    ip, _, number = ringing.destination.rpartition(":")
                    for _ in range(2):
                        sock.sendto(unavailable(ringing), (ip, int(number)))
                    told += 1
            except (OSError, TypeError, ValueError, IndexError) as problem:  # this caller's own timer is the backstop
                log.warning("farewell_impossible", error=type(problem).__name__)
    log.info("let_go", calls=told)
    return told


def bye(dialog: Dialog, sent_by: str, branch: str) -> bytes:
    """The BYE's text. `sent_by` is our ip:port; `branch` the transaction's id without its magic cookie."""
    lines = [
        f"BYE {dialog.target} SIP/2.0",
        f"Via: SIP/2.0/UDP {sent_by};rport;branch=z9hG4bK{branch}",
        "Max-Forwards: 70",
        *(f"Route: {route}" for route in dialog.routes),
        f"From: {dialog.local}",
        f"To: {dialog.remote}",
        f"Call-ID: {dialog.call_id}",
        f"CSeq: {CSEQ} BYE",
        'Reason: SIP;cause=500;text="Worker restarted"',
        "Content-Length: 0",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape")


def next_hop(dialog: Dialog) -> tuple[str, int]:
    """Where the BYE goes: the first route or the target when it is an address, else where the INVITE came from."""
    first = address(dialog.routes[0]).uri if dialog.routes else dialog.target
    ip, _, port = dialog.destination.rpartition(":")
    host, _, number = first.partition(":")[2].rpartition("@")[2].split(";")[0].partition(":")
    try:
        hop = ipaddress.ip_address(host)
    except ValueError:
        return ip, int(port)
    if hop.is_private and not ipaddress.ip_address(ip).is_private:  # behind NAT: it told us an address of its own
        return ip, int(port)
    return host, int(number) if number.isdigit() else 5060


def say_goodbye(dialogs: Iterable[dict[str, Any]], host: str) -> int:
    """Sends the BYEs and waits a few seconds for answers; how many were answered. Blocks: not for the SIP thread."""
    waiting: dict[str, tuple[bytes, tuple[str, int]]] = {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("" if host == "0.0.0.0" else host, 0))
        total = 0
        for stored in dialogs:
            try:
                dialog = Dialog(**stored)
                hop = next_hop(dialog)
            except (TypeError, ValueError) as problem:
                log.warning("farewell_impossible", error=type(problem).__name__)
                continue
            if dialog.transport != "udp":
                continue
            branch = os.urandom(8).hex()
            sent_by = f"{_local_address(hop)}:{sock.getsockname()[1]}"
            waiting[branch] = (bye(dialog, sent_by, branch), hop)
        total = len(waiting)
        for pause in RESEND_S:
            for text, hop in waiting.values():
                try:
                    sock.sendto(text, hop)
                except OSError as problem:  # no route to this one; the others get theirs
                    log.warning("farewell_unsent", error=problem.strerror)
            _collect(sock, waiting, pause)
            if not waiting:
                break
    log.info("farewells", sent=total, answered=total - len(waiting))
    return total - len(waiting)


def _collect(sock: socket.socket, waiting: dict[str, tuple[bytes, tuple[str, int]]], seconds: float) -> None:
    until = time.monotonic() + seconds
    while waiting and (left := until - time.monotonic()) > 0:
        ready, _, _ = select.select([sock], [], [], left)
        if ready:
            answer = sock.recv(4096)
            for branch in [one for one in waiting if one.encode() in answer]:
                del waiting[branch]  # any final answer ends it: 200, or 481 when the far end has hung up


def _local_address(hop: tuple[str, int]) -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(hop)
        return str(probe.getsockname()[0])
