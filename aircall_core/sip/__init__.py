"""The SIP worker: pjsua2 calls, their bridge and recordings, and the link to the store. See docs/sip.md."""
