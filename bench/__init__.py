"""Measures of the whole system, each beside its peer in the same run where there is one: docs/bench.md."""
