"""Looks whether data is whole: rows before and after, NULLs where none may be, keys, indexes."""

from __future__ import annotations

from gonogo.probes.integrity.kind import Integrity

__all__ = ["Integrity"]
