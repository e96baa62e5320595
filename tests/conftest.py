"""Fixtures for every folder of tests."""

from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.support.databases"]

# How long an example takes says what else the machine does: tests run beside others.
settings.register_profile("beside others", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("beside others")
