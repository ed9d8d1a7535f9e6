"""The evidence of a run for people and machines: text, Markdown, HTML, JSON, JUnit."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gonogo.report.evidence import Evidence, Outcome, collect


def __getattr__(name: str) -> object:
    """Import the evidence when it is asked for: `lint` wants no more of this room than words."""
    if name in ("Evidence", "Outcome", "collect"):
        from gonogo.report import evidence

        return getattr(evidence, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class Format(StrEnum):
    """The forms in which evidence is written."""

    TEXT = "text"  # a terminal or a pipe
    MARKDOWN = "md"  # a pull request, a wiki
    HTML = "html"  # one file, readable offline and printable
    JSON = "json"  # everything, in a documented schema
    JUNIT = "junit"  # a CI


def render(evidence: Evidence, form: Format | str, *, width: int = 80) -> str:
    """Return the evidence in one form, ending in a newline; `width` is for text only.

    Raises:
        ValueError: `form` is none of `Format`.
    """
    # Each form is imported when asked for: a run in a terminal does not pay for the HTML.
    match Format(form):
        case Format.TEXT:
            from gonogo.report.terminal import render as in_terminal

            return in_terminal(evidence, width=width)
        case Format.MARKDOWN:
            from gonogo.report.markdown import render as in_markdown

            return in_markdown(evidence)
        case Format.HTML:
            from gonogo.report.html import render as in_html

            return in_html(evidence)
        case Format.JSON:
            from gonogo.report.json_form import render as in_json_form

            return in_json_form(evidence)
        case Format.JUNIT:
            from gonogo.report.junit import render as in_junit

            return in_junit(evidence)


__all__ = ["Evidence", "Format", "Outcome", "collect", "render"]
