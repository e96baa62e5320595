"""A self-hosted inbound-call desk on plain SIP: docs/architecture.md walks a call through these packages."""

__version__ = "0.4.0"
