"""The media gateway: WebRTC with the browsers on one side, 20 ms PCM frames with the SIP worker on the other."""
