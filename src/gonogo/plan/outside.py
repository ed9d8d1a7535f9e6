"""Whether an address that a runbook writes out lies outside the site."""

from __future__ import annotations

import ipaddress
import re

_HOST = re.compile(
    r"(?:https?|ftp|wss?|ssh|git)://(?:[^@/?#\s]*@)?(?P<host>\[[0-9a-f:.]+\]|[^:/?#\s]+)",
    re.IGNORECASE,
)
_INSIDE = ("localhost", "local", "internal", "lan", "intra", "corp", "home.arpa", "test")


def outside_host(address: str) -> str | None:
    """Return the host of a written address when it lies outside; None when it does not.

    Inside are names of one word, names that end in `.local`, `.internal` and the like, addresses
    of this computer and of private networks, and whatever a variable or a target names.
    """
    found = _HOST.match(address)
    if found is None or any(sign in found["host"] for sign in ("$", "{", "}")):
        return None
    host = found["host"].strip("[]").rstrip(".").lower()
    try:
        return None if ipaddress.ip_address(host).is_private else found["host"]
    except ValueError:
        pass
    named = "." in host and not any(host.endswith(f".{end}") for end in _INSIDE)
    return found["host"] if named else None
