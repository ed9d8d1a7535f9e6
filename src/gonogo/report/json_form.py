"""The evidence for machines: one JSON object with everything, in the schema of docs/evidence.md."""

from __future__ import annotations

import json
import re

from gonogo.report.evidence import Evidence
from gonogo.report.values import form

SCHEMA = "gonogo.evidence/1"

# Python leaves these as they are; a terminal or an editor that shows the file would obey them.
_RAW = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


def as_json(evidence: Evidence) -> dict[str, object]:
    """Return the evidence as JSON values; `schema` names their form."""
    data = form(evidence)
    assert isinstance(data, dict)
    return {"schema": SCHEMA, **data}


def render(evidence: Evidence) -> str:
    """Return the JSON text; texts of strangers are exact, their control characters escaped."""
    text = json.dumps(as_json(evidence), ensure_ascii=False, allow_nan=False, indent=2)
    return _RAW.sub(lambda match: f"\\u{ord(match[0]):04x}", text) + "\n"
