"""Fixtures for every folder of tests."""

import os
import sys

from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.support.databases", "tests.support.spread"]

# How long an example takes says what else the machine does: tests run beside others.
settings.register_profile("beside others", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("beside others")

# Some machines forbid Python to keep what it has compiled (containers often do): each of the hundreds of processes that
# a run starts would then compile all of this code anew, which is a fifth of what a start costs.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
