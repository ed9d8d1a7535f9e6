"""Real PostgreSQL and Valkey or Redis servers for tests and the demo, without root or Docker."""

from __future__ import annotations

from gonogo.services.postgres import Postgres
from gonogo.services.valkey import Valkey

__all__ = ["Postgres", "Valkey"]
