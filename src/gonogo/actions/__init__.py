"""Kinds that may change the world: shell text and SQL; never repeated blindly."""

from __future__ import annotations
