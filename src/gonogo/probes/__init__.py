"""Kinds that look at the world: HTTP, Redis, TCP, files; safe to repeat."""

from __future__ import annotations
