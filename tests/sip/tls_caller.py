"""A caller over TLS with SRTP (SDES) made mandatory, in a process of its own: prints its states as JSON lines.

python tests/sip/tls_caller.py sip:+33199000001@127.0.0.1:5061 SECONDS
"""

import json
import os
import sys
import time
from typing import Any

import pjsua2 as pj

calls: list[Any] = []


def say(**what: object) -> None:
    print(json.dumps(what), flush=True)


class Caller(pj.Call):  # type: ignore[misc]
    def onCallState(self, prm: Any) -> None:
        info = self.getInfo()
        say(state=info.stateText, code=info.lastStatusCode)
        if info.state == pj.PJSIP_INV_STATE_DISCONNECTED:
            calls.clear()

    def onCallMediaState(self, prm: Any) -> None:
        info = self.getInfo()
        if len(info.media) and info.media[0].status == pj.PJSUA_CALL_MEDIA_ACTIVE:
            stream = self.getStreamInfo(0)
            say(media=stream.codecName, proto=int(stream.proto), secure="SRTP" in self.dump(True, " "))


def main(target: str, seconds: float) -> None:
    endpoint = pj.Endpoint()
    endpoint.libCreate()
    config = pj.EpConfig()
    config.uaConfig.threadCnt, config.uaConfig.mainThreadOnly = 0, True
    config.logConfig.level = config.logConfig.consoleLevel = 0
    config.medConfig.sndAutoCloseTime = -1
    endpoint.libInit(config)
    transport = pj.TransportConfig()
    transport.boundAddress = "127.0.0.1"
    endpoint.transportCreate(pj.PJSIP_TRANSPORT_TLS, transport)
    endpoint.libStart()
    endpoint.audDevManager().setNullDev()
    form = pj.AccountConfig()
    form.idUri = "sip:+33199005009@127.0.0.1"
    media = form.mediaConfig
    media.transportConfig.boundAddress = "127.0.0.1"
    media.srtpUse, media.srtpSecureSignaling = pj.PJMEDIA_SRTP_MANDATORY, 1
    media.srtpOpt.keyings = pj.IntVector([pj.PJMEDIA_SRTP_KEYING_SDES])
    account = pj.Account()
    account.create(form)
    call = Caller(account)
    calls.append(call)
    call.makeCall(f"{target};transport=tls", pj.CallOpParam(True))
    del call
    until = time.monotonic() + seconds
    while calls and time.monotonic() < until:
        endpoint.libHandleEvents(10)
    endpoint.hangupAllCalls()
    until = time.monotonic() + 0.5
    while time.monotonic() < until:
        endpoint.libHandleEvents(10)
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
