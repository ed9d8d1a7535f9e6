"""Tells a tool which database is meant, without a password where others can read it."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, urlencode

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from gonogo.errors import WorkError


def without_password(address: str) -> tuple[str, Mapping[str, str]]:
    """Return the address as an URL without its password, and the password as a variable.

    Raises:
        WorkError: the address cannot be read.
    """
    try:
        parts = {name: str(value) for name, value in conninfo_to_dict(address).items()}
    except ProgrammingError:
        raise WorkError(
            "the address of the target cannot be read",
            hint="expected `postgresql://user@host:port/database`",
        ) from None
    password = parts.pop("password", "")
    user = quote(parts.pop("user", ""), safe="")
    host = parts.pop("host", "")
    place = f"[{host}]" if ":" in host else quote(host, safe="")
    port = f":{parts.pop('port')}" if "port" in parts else ""
    name = quote(parts.pop("dbname", ""), safe="")
    more = f"?{urlencode(parts)}" if parts else ""
    url = f"postgresql://{user}{'@' if user else ''}{place}{port}/{name}{more}"
    return url, {"PGPASSWORD": password} if password else {}
