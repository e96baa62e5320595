"""What a route is given: the store, the settings, and the parts of this process. Made once, in main or by a test."""

import asyncio
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field

from aircall_core.config import Settings
from aircall_core.desk.secrets import SecretBox
from aircall_core.service.asker import Asker
from aircall_core.service.feed import Follower
from aircall_core.service.gateways import Gateways
from aircall_core.service.hub import Hub
from aircall_core.service.metrics import Metrics
from aircall_core.service.origins import Origins
from aircall_core.service.presence import Presence
from aircall_core.store import Store


@dataclass
class Desk:
    """The parts of one desk process."""

    settings: Settings
    store: Store
    install_id: str
    box: SecretBox
    hub: Hub
    presence: Presence
    gateways: Gateways
    metrics: Metrics = field(default_factory=Metrics)
    follower: Follower | None = None  # set while the application serves
    asker: Asker | None = None  # while it is main's process
    give_up: Callable[[], None] = os.abort  # main ends in order instead
    test_call: "subprocess.Popen[bytes] | None" = None
    test_calling: asyncio.Lock = field(default_factory=asyncio.Lock)  # while one is begun

    def ready(self) -> bool:
        """Whether events are followed, so that a snapshot taken now misses nothing after it."""
        return self.follower is not None and self.follower.ready.is_set()

    @property
    def cookie(self) -> str:
        """The session cookie's name: it carries the installation, since cookies are shared by all ports of a host."""
        return f"aircall_{self.install_id}"

    @property
    def origins(self) -> Origins:
        """The web origins of this installation."""
        s = self.settings
        return Origins(s.console_url, s.desk_url, s.http_port, s.desk_port)

    @property
    def secure_cookie(self) -> bool:
        """Whether browsers come by https, so that the cookie must never travel without it."""
        return (self.settings.console_url or self.settings.desk_url).startswith("https://")
