"""Martlet beside what users would take instead, under the same load. `dev/bench` starts it."""
