"""Counters and gauges for Prometheus. Numbers only: no label carries a name, a number or an id of a person."""

from collections import Counter as Counter_
from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

from aircall_core.domain import message
from aircall_core.domain.call import State

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """The measures of one desk process, in a registry of their own (several processes may live in one test)."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.sockets = Gauge("aircall_realtime_sockets", "Open WebSockets", registry=self.registry)
        self.events = Counter("aircall_events_followed", "Events handed to the hub", registry=self.registry)
        self.lag = Gauge(
            "aircall_follower_lag_seconds",
            "Age of the last event when it was handed to the hub",
            registry=self.registry,
        )
        self.slow = Gauge("aircall_realtime_slow_total", "Sockets ended since they fell behind", registry=self.registry)
        self.calls = Gauge("aircall_calls", "Calls that have not ended, by state", ["state"], registry=self.registry)
        self.nodes = Gauge("aircall_nodes", "Processes with a running lease", ["kind"], registry=self.registry)
        self.audio = Gauge("aircall_audio_peers", "Browser audio connections", ["node"], registry=self.registry)
        self.refused = Gauge(
            "aircall_invites_refused",
            "INVITEs refused by the running workers, by reason",
            ["why"],
            registry=self.registry,
        )
        self.texts = Gauge("aircall_texts", "Texts on their way out, by state", ["state"], registry=self.registry)
        self.gateways_failing = Gauge(
            "aircall_text_accounts_failing", "Accounts that could not send when they last tried", registry=self.registry
        )
        self.sign_ins = Counter("aircall_sign_ins", "Attempts to sign in", ["result"], registry=self.registry)
        self.store_away = Counter("aircall_store_away", "Requests met by an absent store", registry=self.registry)

    def set_calls(self, by_state: Mapping[str, int]) -> None:
        """Live calls by state; states without calls go to zero."""
        for state in State:
            if state is not State.ENDED:
                self.calls.labels(state.value).set(by_state.get(state.value, 0))

    def set_texts(self, by_state: Mapping[str, int], failing: int) -> None:
        """Texts on their way out, and accounts that cannot send."""
        for state in (message.State.QUEUED, message.State.SENDING):
            self.texts.labels(state.value).set(by_state.get(state.value, 0))
        self.gateways_failing.set(failing)

    def set_refused(self, counts: Iterable[Mapping[str, int]]) -> None:
        """INVITEs refused since each worker started, by reason."""
        total: Counter_[str] = Counter_()
        for one in counts:
            total.update(one)
        for why, count in total.items():
            self.refused.labels(why).set(count)

    def text(self) -> bytes:
        """The exposition format."""
        return generate_latest(self.registry)
