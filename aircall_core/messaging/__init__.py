"""Gateways of texts behind one port: what leaves and enters besides SIP."""
