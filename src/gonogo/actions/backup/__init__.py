"""Backups that prove themselves: made in one snapshot, read to their end, restored for a test."""

from __future__ import annotations

from gonogo.actions.backup.kept import CheckBackup
from gonogo.actions.backup.making import Backup
from gonogo.actions.backup.returning import Restore
from gonogo.actions.backup.trying import CheckRestore

__all__ = ["Backup", "CheckBackup", "CheckRestore", "Restore"]
