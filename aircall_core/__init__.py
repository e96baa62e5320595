"""A self-hosted inbound-call desk on plain SIP: see docs/architecture.md for the way a call takes through these packages."""

__version__ = "0.1.0"
