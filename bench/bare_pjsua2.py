"""The peer of the wire measures: pjsua2 and nothing else, under the same rules. 180 at once, 200 after a while.

`python -m bench.bare_pjsua2 [ANSWER_AFTER_S]` prints its SIP port and serves until SIGTERM.
"""

import os
import signal
import sys
import time
from types import FrameType
from typing import Any

import pjsua2 as pj

calls: dict[int, pj.Call] = {}  # the only strong references
due: list[tuple[float, int]] = []


class Call(pj.Call):  # type: ignore[misc]
    """A call that forgets itself when it ends."""

    def onCallState(self, prm: Any) -> None:  # noqa: N802
        """Drop the reference inside the callback: ids are used again."""
        if self.getInfo().state == pj.PJSIP_INV_STATE_DISCONNECTED:
            calls.pop(self.getId(), None)


class Account(pj.Account):  # type: ignore[misc]
    """Takes every call."""

    answer_after = 0.0

    def onIncomingCall(self, prm: Any) -> None:  # noqa: N802
        """Ring at once, answer later from the main loop."""
        call = calls[prm.callId] = Call(self, prm.callId)
        reply(call, 180)
        due.append((time.monotonic() + self.answer_after, prm.callId))


def reply(call: pj.Call, code: int) -> None:
    """One response."""
    options = pj.CallOpParam()
    options.statusCode = code
    call.answer(options)


def main(answer_after: float) -> None:
    """Serve on a free port of the loopback."""
    stopped: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:
        stopped.append(number)

    signal.signal(signal.SIGTERM, stop)
    out = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the library speaks before its log level can be set
    endpoint = pj.Endpoint()
    endpoint.libCreate()
    config = pj.EpConfig()
    config.uaConfig.threadCnt, config.uaConfig.mainThreadOnly, config.uaConfig.maxCalls = 0, True, 256
    config.logConfig.level = config.logConfig.consoleLevel = 0
    media = config.medConfig
    media.clockRate = media.sndClockRate = 8000
    media.channelCount, media.audioFramePtime, media.noVad, media.ecTailLen, media.sndAutoCloseTime = 1, 20, True, 0, -1
    endpoint.libInit(config)
    transport = pj.TransportConfig()
    transport.boundAddress = "127.0.0.1"
    number = endpoint.transportCreate(pj.PJSIP_TRANSPORT_UDP, transport)
    endpoint.libStart()
    endpoint.audDevManager().setNullDev()
    account_config = pj.AccountConfig()
    account_config.idUri = "sip:bare@127.0.0.1"
    account_config.mediaConfig.lockCodecEnabled = False
    account_config.mediaConfig.transportConfig.boundAddress = "127.0.0.1"
    account_config.mediaConfig.transportConfig.port, account_config.mediaConfig.transportConfig.portRange = 40000, 2000
    account = Account()
    account.answer_after = answer_after
    account.create(account_config)
    print(endpoint.transportGetInfo(number).localName.rpartition(":")[2], file=out, flush=True)
    while not stopped:
        endpoint.libHandleEvents(10)
        now = time.monotonic()
        while due and due[0][0] <= now:
            if call := calls.get(due.pop(0)[1]):
                reply(call, 200)
    os._exit(0)


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 3600.0)
