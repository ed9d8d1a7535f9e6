"""Migrations: applied, taken back exactly, looked at, and rehearsed on a copy."""

from __future__ import annotations

from gonogo.actions.migrate.back import MigrateBack
from gonogo.actions.migrate.forward import Migrate
from gonogo.actions.migrate.looking import Migrations
from gonogo.actions.migrate.rehearsal import Rehearsal

__all__ = ["Migrate", "MigrateBack", "Migrations", "Rehearsal"]
