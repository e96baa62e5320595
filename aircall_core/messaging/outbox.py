"""The outbox of a desk process: takes queued texts to their gateways, as desk/outbox.py says.

Several desk processes may do this at once, since each text is claimed. Texts of one conversation go one after the
other, several conversations side by side. An account whose gateway is away rests for a while, and then tries one text:
the others wait in the queue, and none of them uses up its patience by trying.
"""

import random
import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

import httpx

from aircall_core.config import Settings
from aircall_core.desk import links, media_links
from aircall_core.desk import outbox as way
from aircall_core.desk.messages import SIP, TWILIO
from aircall_core.desk.secrets import SecretBox, SecretKeyError
from aircall_core.domain.message import Outcome, State, Why, pause_s
from aircall_core.ids import new_id
from aircall_core.logs import get_logger
from aircall_core.messaging.port import Gateway, SentFile, Text, away, http_client, refused, unknown
from aircall_core.messaging.twilio import Twilio
from aircall_core.messaging.webhook import WebhookGateway
from aircall_core.store import Connection, Store, StoreAway, clock, provisioning
from aircall_core.store import messages as rows

log = get_logger(__name__)

AT_ONCE: Final = 4  # texts side by side
LOOK_EVERY_S: Final = 5.0
BREATH_S: Final = 0.05  # between two looks, however often somebody commits
RETRY_S: Final = 1.0
ACTOR: Final = "desk"
_REST_FOR: Final = frozenset({Why.CREDENTIALS, Why.NO_TRUNK, Why.UNREACHABLE})  # what a SIP account fails with


@dataclass
class _Health:
    """How sending through an account goes."""

    failures: int = 0
    rest_until: int = 0  # ms
    under_way: int = 0


def gateway_for(account: Mapping[str, Any], box: SecretBox, client: httpx.Client) -> Gateway:
    """The gateway of an account that desk processes send through. Raises SecretKeyError."""
    settings, secret = account["settings"], box.open(account["secret"]) if account["secret"] else ""
    if account["kind"] == TWILIO:
        return Twilio(
            client, settings.get("account_sid", ""), secret,
            service_sid=settings.get("messaging_service_sid") or "", api_url=settings.get("api_url") or "",
        )  # fmt: skip
    return WebhookGateway(client, settings.get("url", ""), secret)


class Outbox:
    """A thread that looks for texts to send, and some that send them."""

    def __init__(
        self, store: Store, settings: Settings, box: SecretBox, give_up: Callable[[], None], *,
        now: Callable[[Connection], int] = clock.now_ms, at_once: int = AT_ONCE,
    ) -> None:  # fmt: skip
        """``at_once`` 0: `once` sends by itself, one text after the other. ``now``: ms, the database's clock."""
        self._store, self._settings, self._box, self._give_up, self._now = store, settings, box, give_up, now
        self._by = f"{way.OUTBOX}{new_id()}"
        self._client = http_client()
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._health: dict[str, _Health] = {}
        self._taken: set[str] = set()  # texts that a thread of ours has, or is about to have
        self._pool = ThreadPoolExecutor(at_once, "outbox") if at_once else None
        self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; what is being sent is sent to its end."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
        self._client.close()

    def _run(self) -> None:
        with self._store.doorbell(self._stop) as bell:
            while not self._stop.is_set():
                seen = bell.rings
                try:
                    wait_s = self.once()
                except StoreAway as error:
                    log.warning("outbox_store_away", error=str(error))
                    wait_s = RETRY_S
                except Exception as fault:
                    log.error("outbox_failed", exc_info=fault)
                    self._give_up()
                    return
                bell.wait(seen, self._stop, wait_s)
                self._stop.wait(BREATH_S)

    def once(self) -> float:
        """Begin to send all that can be sent now; seconds until there may be more to do."""
        with self._store.read() as conn:
            now = self._now(conn)
            waiting = rows.waiting(conn, way.LOOK_AT)
            if not waiting:
                return LOOK_EVERY_S
            untidy = way.untidy(conn, waiting, now)
            accounts = {row["id"]: row for row in rows.accounts(conn)}
            self._working(accounts.values())
            away_now = self._resting(now) | {one for one, row in accounts.items() if not row["enabled"]}
            if away_now:
                waiting = rows.waiting(conn, way.LOOK_AT, away_now)
            if len(waiting) == way.LOOK_AT:  # those that wait for a SIP worker must not hide those that do not
                seen, by_worker = {row["id"] for row in waiting}, {one for one in accounts if _by_worker(accounts[one])}
                more = rows.waiting(conn, way.LOOK_AT, away_now | by_worker)
                waiting += [row for row in more if row["id"] not in seen]
        if untidy:
            with self._store.write() as tx:
                way.tidy(tx, self._now(tx.conn), ACTOR)
        for row in way.first_of_each(waiting, now):
            account = accounts.get(row["account_id"])
            if account is None or self._stop.is_set():
                continue
            if _by_worker(account):
                if self._may_ask(account, now):
                    with self._store.write() as tx:
                        way.ask_worker(tx, row["id"], self._now(tx.conn), ACTOR)
            elif self._may_begin(account["id"], row["id"]):
                self._begin(account, row)
        return self._pause_s(waiting, now)

    def _resting(self, now: int) -> set[str]:
        with self._lock:
            return {account for account, health in self._health.items() if health.rest_until > now}

    def _working(self, accounts: Iterable[Mapping[str, Any]]) -> None:
        """A worker has told that a SIP account works: its rest is over."""
        with self._lock:
            for account in accounts:
                if _by_worker(account) and not _sip_fails(account):
                    self._health.pop(account["id"], None)

    def _may_ask(self, account: Mapping[str, Any], now: int) -> bool:
        """Whether a worker may be asked for a text of this account: while it fails, one at a time, ever more rarely.

        A carrier that is told a wrong password by a hundred texts locks us out.
        """
        if not _sip_fails(account):
            return True
        with self._lock:
            health = self._health.setdefault(account["id"], _Health())
            if health.rest_until > now:
                return False
            health.failures += 1
            health.rest_until = now + int(pause_s(health.failures, random.random()) * 1000)
            return True

    def _may_begin(self, account_id: str, message_id: str) -> bool:
        """Whether a thread may take this text: an account that has failed is tried with one at a time."""
        with self._lock:
            health = self._health.setdefault(account_id, _Health())
            if message_id in self._taken or (health.failures and health.under_way):
                return False
            self._taken.add(message_id)
            health.under_way += 1
            return True

    def _begin(self, account: Mapping[str, Any], row: Mapping[str, Any]) -> None:
        if self._pool is None:
            self._one(account, row)
        else:
            self._pool.submit(self._one, account, row)

    def _one(self, account: Mapping[str, Any], row: Mapping[str, Any]) -> None:
        outcome = None
        try:
            outcome = self._send(account, row)
        except StoreAway as error:
            log.warning("outbox_store_away", error=str(error))
        except Exception as fault:
            log.error("text_not_sent", message=row["id"], exc_info=fault)
            if self._pool is None:
                raise
        finally:
            with self._lock:
                self._taken.discard(row["id"])
                self._health[account["id"]].under_way -= 1
        try:
            if outcome is not None:
                self._learn(account["id"], outcome)
        except StoreAway as error:  # nobody reads what a thread of the pool raises
            log.warning("outbox_store_away", error=str(error))

    def _send(self, account: Mapping[str, Any], row: Mapping[str, Any]) -> Outcome | None:
        """Claim, act, settle: in this order, and nothing between claim and act that could fail without us knowing."""
        if self._rests(account["id"]):
            return None
        try:
            gateway: Gateway | None = gateway_for(account, self._box, self._client)
        except (SecretKeyError, ValueError):
            gateway = None
        text = self._text(account, row["id"])
        with self._store.write() as tx:
            if way.claim(tx, row["id"], self._by, self._now(tx.conn), ACTOR) is None:
                return None
        outcome = away(Why.CREDENTIALS)
        if isinstance(text, Outcome):
            outcome = text
        elif gateway is not None:
            try:
                outcome = gateway.send(text)
            except Exception as fault:  # a fault of ours: nobody knows how far it came
                log.error("gateway_broken", kind=account["kind"], message=row["id"], exc_info=fault)
                outcome = unknown(Why.BROKEN)
        self._settle(account, row["id"], outcome)
        return outcome

    def _settle(self, account: Mapping[str, Any], message_id: str, outcome: Outcome) -> None:
        """What is known must get into the store, however long that is away: it is all that keeps it from `unknown`."""
        while True:
            try:
                with self._store.write() as tx:
                    now = self._now(tx.conn)
                    way.settle(tx, message_id, self._by, outcome, now, ACTOR)
                    state = "failing" if _is_bad(outcome) else "ok"
                    reason = outcome.reason.value if outcome.reason and state == "failing" else None
                    if (state, reason) != (account["state"], account["state_reason"]):
                        rows.set_account_state(tx.conn, account["id"], state, reason, now)
                return
            except StoreAway as error:
                log.warning("outbox_store_away", error=str(error))
                if self._stop.wait(RETRY_S):
                    return

    def _learn(self, account_id: str, outcome: Outcome) -> None:
        with self._store.read() as conn:
            now = self._now(conn)
        with self._lock:
            health = self._health[account_id]
            if not _is_bad(outcome):
                health.failures = health.rest_until = 0
                return
            if health.rest_until <= now:  # those that failed side by side count as one
                health.failures += 1
            rest = outcome.pause_s if outcome.pause_s is not None else pause_s(health.failures, random.random())
            health.rest_until = max(health.rest_until, now + int(rest * 1000))
        log.warning("gateway_away", account=account_id, reason=outcome.reason, code=outcome.remote_code)

    def _rests(self, account_id: str) -> bool:
        """Whether the account has failed since this text was taken: it is not claimed then."""
        with self._store.read() as conn:
            return account_id in self._resting(self._now(conn))

    def _text(self, account: Mapping[str, Any], message_id: str) -> Text | Outcome:
        with self._store.read() as conn:
            row = rows.get(conn, message_id)
            assert row is not None
            line = provisioning.line(conn, row["line_id"])
            files = rows.files_of(conn, message_id)
        assert line is not None
        base, tried = self._settings.public_url, row["tries"] + 1
        if not base and account["kind"] != TWILIO:  # a bridge on this machine reaches us here
            base = links.desk_address(self._settings)
        if files and not base:
            return refused(Why.NO_FILES)
        status = ""
        if base:
            kind = "twilio" if account["kind"] == TWILIO else "messages"
            status = f"{base}/hooks/{kind}/{quote(account['id'])}/status?message={quote(message_id)}&try={tried}"
        return Text(
            message_id, tried, line["number"], row["party"], row["body"],
            tuple(self._linked(base, one) for one in files),
            status,
        )  # fmt: skip

    def _linked(self, base: str, file: Mapping[str, Any]) -> SentFile:
        link = f"{base}/hooks/media/{media_links.made(self._box, file['id'])}"
        return SentFile(link, file["name"], file["content_type"])

    def _pause_s(self, waiting: list[dict[str, Any]], now: int) -> float:
        with self._lock:
            times = [health.rest_until for health in self._health.values()]
        times += [row["not_before"] or 0 for row in waiting]
        return min([LOOK_EVERY_S, *((one - now) / 1000 for one in times if one > now)])


def _by_worker(account: Mapping[str, Any]) -> bool:
    """Whether the account's texts are sent by a SIP worker."""
    return bool(account["kind"] == SIP)


def _sip_fails(account: Mapping[str, Any]) -> bool:
    """Whether what a worker told of a SIP account means that others had better not be tried."""
    return bool(account["state"] == "failing" and account["state_reason"] in _REST_FOR)


def _is_bad(outcome: Outcome) -> bool:
    """Whether it says something of the gateway, and not of this text: the others had better wait."""
    return outcome.again or (outcome.state is State.UNKNOWN and outcome.reason in (Why.TIMEOUT, Why.BROKEN))
