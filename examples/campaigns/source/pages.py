"""What a reader sees: the pages of the service as HTML, without a template engine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

LINKS = (("/agents", "Agents"), ("/campaigns", "Campaigns"), ("/system_health", "System health"))
STYLE = "body{font:16px/1.5 sans-serif;margin:2rem auto;max-width:50rem}td,th{padding:.2rem 1rem}"


def page(title: str, content: str, release: str) -> str:
    links = " · ".join(f'<a href="{path}">{words}</a>' for path, words in LINKS)
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<link rel="icon" href="data:,"><style>{STYLE}</style><p>{links}</p>'
        f"<h1>{escape(title)}</h1>{content}<footer>{escape(release)}</footer></html>"
    )


def table(columns: Iterable[str], rows: Iterable[Mapping[str, Any]]) -> str:
    names = list(columns)
    head = "".join(f"<th>{escape(name.replace('_', ' '))}</th>" for name in names)
    lines = (
        "<tr>" + "".join(f"<td>{escape(shown(row.get(name)))}</td>" for name in names) + "</tr>"
        for row in rows
    )
    return f"<table><tr>{head}</tr>{''.join(lines)}</table>"


def shown(value: object) -> str:
    return "-" if value is None else str(value)
