"""Martlet with 1 to 16 loops beside nats-server, on a machine of many cores: bench/scale."""
