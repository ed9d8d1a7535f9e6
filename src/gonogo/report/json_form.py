"""The evidence for machines: one JSON object with everything, in the schema of docs/evidence.md."""

from __future__ import annotations

import json
import re
from functools import partial

from gonogo.report.evidence import Evidence
from gonogo.report.values import form

_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False)
_ROWS = ("slices", "moves")
SCHEMA = "gonogo.evidence/1"

# Python leaves these as they are; a terminal or an editor that shows the file would obey them.
_RAW = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


def as_json(evidence: Evidence) -> dict[str, object]:
    """Return the evidence as JSON values; `schema` names their form."""
    data = form(evidence)
    assert isinstance(data, dict)
    return {"schema": SCHEMA, **data}


def render(evidence: Evidence) -> str:
    """Return the JSON text; texts of strangers are exact, their control characters escaped.

    The slices and moves of a watch take one line each: there may be thousands.
    """
    text = _written(as_json(evidence))
    return _RAW.sub(lambda match: f"\\u{ord(match[0]):04x}", text) + "\n"


def _written(value: object, pad: str = "", key: str = "") -> str:
    inner = pad + "  "
    if isinstance(value, dict) and value:
        items = [f"{_ENCODER.encode(k)}: {_written(v, inner, k)}" for k, v in value.items()]
    elif isinstance(value, list) and value:
        write = _ENCODER.encode if key in _ROWS else partial(_written, pad=inner)
        items = [write(item) for item in value]
    else:
        return _ENCODER.encode(value)
    left, right = "{}" if isinstance(value, dict) else "[]"
    return f"{left}\n{inner}" + f",\n{inner}".join(items) + f"\n{pad}{right}"
