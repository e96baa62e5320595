"""The SIP worker process: `python -m aircall_core worker --index N`."""

import gc
import hashlib
import hmac
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from socket import gaierror, getaddrinfo
from typing import Any

import holidays  # noqa: F401  loaded here, not while the first caller of a line with hours waits
import pjsua2 as pj

from aircall_core import __version__
from aircall_core.config import Settings, get_settings
from aircall_core.desk import endings, flows, nodes, outbox, trunks
from aircall_core.desk.secrets import SecretBox, open_box
from aircall_core.logs import get_logger, setup_logging
from aircall_core.priority import raise_priority
from aircall_core.sip import capabilities
from aircall_core.sip.admission import Admission
from aircall_core.sip.bridge import Media
from aircall_core.sip.digest import Digest
from aircall_core.sip.endpoint import Endpoint, EndpointConfig
from aircall_core.sip.farewell import let_go, say_goodbye
from aircall_core.sip.lookup import Lookups
from aircall_core.sip.pcm import PcmListener
from aircall_core.sip.prompts import Prompts
from aircall_core.sip.recorder import Recordings
from aircall_core.sip.storelink import StoreLink, journal_of, replay
from aircall_core.sip.switchboard import Switchboard
from aircall_core.sip.timers import Timers
from aircall_core.sip.tools import Rules, Tools
from aircall_core.sip.trunks import Directory, Line, Trunk
from aircall_core.store import Store, StoreAway, open_store, provisioning
from aircall_core.store.calls import Owner

log = get_logger(__name__)

BYE_S = 0.5  # for the last BYEs to leave
STORE_WAIT_S = 0.5
FULL_TIDY_S = 60.0
_TOKEN_KEY = os.urandom(32)


class Worker:
    """One life of worker N."""

    def __init__(self, settings: Settings, index: int) -> None:
        self.settings, self.index = settings, index
        self.signals = 0
        self._tidied = 0.0
        self._capabilities = capabilities.discover(settings.run_dir)
        self._store = open_store(settings.database_url, full_sync=settings.sqlite_full_sync)
        self._box = open_box(settings.data_dir, settings.secret_key)

    def run(self) -> None:
        """Until SIGTERM; leaves the process by `os._exit`, since library objects must not meet their destructors."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._signalled)
        _be_quick()
        node, after, lost = self._begin_life()
        directory = self._directory()
        rang, talked = [one for one in lost if "vias" in one], [one for one in lost if "vias" not in one]
        if rang:
            let_go(rang, self.settings.sip_host, self.settings.worker_sip_port(self.index))
        board = self._open(node, directory)
        tools = board.tools
        self._link.start(after)
        tools.recordings.start()
        if talked:
            threading.Thread(
                target=say_goodbye, args=(talked, self.settings.sip_host), name="farewell", daemon=True
            ).start()
        gc.collect()
        gc.freeze()
        gc.disable()
        log.info("worker_ready", node=node.id, epoch=node.epoch, sip_port=tools.endpoint.port,
                 capacity=board.admission.capacity, **self._capabilities.as_json())  # fmt: skip
        status = self._serve(board)
        self._leave(board)
        sys.stderr.flush()
        os._exit(status)

    # ---- beginning

    def _begin_life(self) -> tuple[nodes.Node, int, list[dict[str, Any]]]:
        """A new epoch; the calls of earlier ones are lost: their dialogs, for farewells. Waits for the store."""
        while True:
            try:
                return self._register()
            except StoreAway as problem:
                if self.signals:
                    os._exit(0)
                log.warning("store_away_at_start", error=str(problem)[:200])
                threading.Event().wait(STORE_WAIT_S)

    def _register(self) -> tuple[nodes.Node, int, list[dict[str, Any]]]:
        settings = self.settings
        replay(self._store, journal_of(settings.data_dir, f"worker-{self.index}"))
        with self._store.write() as tx:
            node = nodes.register(
                tx,
                "worker",
                self.index,
                nodes.host_name(settings.data_dir),
                address=str(settings.worker_socket(self.index)),
                capacity=self._capabilities.inbound(settings.inbound_share),
                info=self._capabilities.as_json(),
                serving=False,
            )
            of_earlier = (tx, node.id, node.epoch - 1)
            closed = endings.close_lost(*of_earlier, actor=f"worker:{node.id}", at=tx.now_ms())
            dialogs = endings.farewells(*of_earlier)
            outbox.abandon(*of_earlier, tx.now_ms(), f"worker:{node.id}")
        if closed:
            log.warning("calls_lost", calls=closed)
        return node, self._store.last_seq(), dialogs

    def _directory(self) -> Directory:
        return load_directory(self._store, self._box, self.settings.sip_host)

    def _open(self, node: nodes.Node, directory: Directory) -> Switchboard:
        settings, index = self.settings, self.index
        capacity = self._capabilities.inbound(settings.inbound_share)
        endpoint = Endpoint(endpoint_config(settings, index), lambda invite: admission.judge(invite))
        admission = Admission(directory, Digest(), capacity, lambda: len(endpoint.legs) - 1)
        endpoint.start()
        prompts = Prompts(settings.audio_rate, data_dir=settings.data_dir)
        prompts.load()
        board: Switchboard
        recordings = Recordings(settings.data_dir, f"worker-{index}", lambda saved: board.tell(saved))
        listener = PcmListener(str(settings.worker_socket(index)), settings.audio_rate, lambda call: board.wants(call))
        self._link = StoreLink(
            self._store,
            node,
            lambda message: board.tell(message),
            self._directory,
            settings.data_dir,
            settings.min_free_disk_mb,
        )
        tools = Tools(
            endpoint=endpoint,
            media=Media(endpoint, str(prompts.music)),
            links=listener,
            prompts=prompts,
            recordings=recordings,
            lookups=Lookups(lambda answer: board.tell(answer)),
            timers=Timers(),
            put=self._link.put,
            rules=Rules(
                accept=settings.accept_timeout_ms / 1000,
                returned=settings.agent_away_s,
                transfer_ring=settings.transfer_ring_s,
            ),
            slots=self._capabilities.calls,
        )
        endpoint.accounts.limit = self._capabilities.accounts
        board = Switchboard(tools, admission, Owner(node.id, node.epoch), registers=index == 0)
        board.use(directory)
        return board

    # ---- serving and leaving

    def _serve(self, board: Switchboard) -> int:
        """Turns the loop; the exit status."""
        status_at, drain_until = 0.0, None
        load = self._link.load
        while True:
            board.turn()
            now = time.monotonic()
            if now >= status_at:
                status_at = now + 1.0
                load.in_use, load.draining = len(board.tools.endpoint.legs), board.admission.draining
                load.info = {**self._capabilities.as_json(), **board.status()}
                self._link.announce()
                self._tidy(board, now)
            if board.replaced:
                log.error("worker_replaced")
                for call in list(board.calls.values()):
                    call.drop()
                return 3
            if self.signals and drain_until is None:
                board.admission.draining = True
                drain_until = now + self.settings.drain_s
                log.info("worker_drains", calls=len(board.calls))
            busy = board.calls or board.texts_out.busy
            if drain_until is not None and (not busy or now >= drain_until or self.signals > 1):
                return 0

    def _tidy(self, board: Switchboard, now: float) -> None:
        """Young garbage every second, which is quick; all of it only while nobody talks."""
        if board.calls or now < self._tidied + FULL_TIDY_S:
            gc.collect(1)
        else:
            self._tidied = now
            gc.collect()

    def _leave(self, board: Switchboard) -> None:
        """BYEs, the last facts, the lease, the recordings under way."""
        board.end_all("drained")
        board.texts_out.give_up()
        board.tools.endpoint.hang_up_all()
        until = time.monotonic() + BYE_S
        while time.monotonic() < until:
            board.turn()
        board.tools.links.close()
        board.tools.recordings.close(2.0)
        while board.inbox:
            board.turn(0)
        self._link.stop(2.0)
        log.info("worker_stopped")

    def _signalled(self, number: int, frame: object) -> None:
        self.signals += 1


def endpoint_config(settings: Settings, index: int) -> EndpointConfig:
    """The endpoint of worker `index`."""
    first, last = settings.worker_rtp_range(index)
    return EndpointConfig(
        host=settings.sip_host,
        port=settings.worker_sip_port(index),
        sips_port=settings.worker_sips_port(index),
        tls_cert=settings.tls_cert,
        tls_key=settings.tls_key,
        public_address=settings.public_address,
        rtp_first=first,
        rtp_last=last,
        rate=settings.audio_rate,
        user_agent=f"aircall-core/{__version__}",
    )


def load_directory(store: Store, box: SecretBox, sip_host: str) -> Directory:
    """Lines and trunks as the store has them; names of registrars are looked up. May block; raises StoreAway."""
    accesses = trunks.accesses(store, box, sip_host)
    with store.read() as conn:
        rows = provisioning.enabled_lines(conn)
        texts = provisioning.text_accounts(conn, "sip")
    return Directory(
        (_line(row, texts.get(row["id"], "")) for row in rows),
        (_trunk(access) for access in accesses if access.readable),
        unreadable=[access.id for access in accesses if not access.readable],
        secrets=flows.lookup_secrets(store, box),
    )


def _line(row: Mapping[str, Any], texts: str) -> Line:
    return Line(
        row["id"], row["number"], row["country"], row["recording"], pause_on_hold=bool(row["pause_on_hold"]),
        pause_notice=bool(row["pause_notice"]), texts=texts,
    )  # fmt: skip


def _trunk(access: trunks.TrunkAccess) -> Trunk:
    registers = access.kind == trunks.REGISTER
    return Trunk(
        id=access.id,
        cidrs=access.cidrs,
        username=access.username,
        password=access.password,
        registrar=access.host if registers else "",
        transport=access.transport,
        challenge=access.kind == trunks.DIGEST,
        realm=access.realm,
        resolved=_addresses(access.host) if registers else (),
        token=_contact_token(access.id) if registers else "",
        outbound=access.outbound_host,
        dial_format=access.dial_format,
        hold_by=access.hold_by,
        transfer_by=access.transfer_by,
    )


def _contact_token(trunk_id: str) -> str:
    """The same for this life of the worker, unknown to everybody but the registrar."""
    return hmac.new(_TOKEN_KEY, trunk_id.encode(), hashlib.sha256).hexdigest()[:20]


def _addresses(host: str) -> tuple[str, ...]:
    """Every address of a registrar: its calls are taken from there."""
    name = host.rsplit(":", 1)[0] if host.count(":") == 1 else host
    try:
        found = {str(entry[4][0]) for entry in getaddrinfo(name.strip("[]"), None)}
    except gaierror as problem:
        log.warning("registrar_unknown", error=problem.strerror)
        return ()
    return tuple(sorted(found))


def _be_quick() -> None:
    """Short turns between threads, and priority where it is granted: the bridge's clock needs us every 20 ms."""
    sys.setswitchinterval(0.0005)
    if (
        not raise_priority()
    ):  # a service unit grants it (deploy/); calls work without it, on a machine with time to spare
        log.info("priority_not_granted")


def main(index: int) -> None:
    """Runs worker `index` until it is told to stop; does not return."""
    settings = get_settings()
    setup_logging(settings, f"worker-{index}")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the library prints there before its own log can be set
    try:
        Worker(settings, index).run()
    except pj.Error as problem:
        log.error("worker_cannot_start", error=problem.reason, status=problem.status)
        sys.stderr.flush()
        os._exit(1)
    except Exception:
        log.exception("worker_failed")
        sys.stderr.flush()
        os._exit(1)
