"""The settings of a runbook: what the front matter says, typed, with a place for each value."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import yaml

from gonogo.plan.model import Metric, Mode, Retry, Target
from gonogo.plan.receivers import Receivers
from gonogo.plan.receiving import Written
from gonogo.plan.windows import Freeze
from gonogo.runbook import settings_named, settings_plain, yaml_nodes
from gonogo.runbook.notebook import Notebook
from gonogo.runbook.outline import FrontMatter
from gonogo.runbook.settings_draft import SettingsDraft
from gonogo.source import Span

KEYS: dict[str, str] = {
    "gonogo": "version of this language: 1; makes the runbook explicit",
    "title": "name of the runbook, instead of its first heading",
    "service": "what is released; two runs of one service exclude each other",
    "targets": "places in the world by name: `app: ${APP_URL}`",
    "metrics": "names used in rules, each bound to a source",
    "environments": "variables per environment: `staging: {APP_URL: …}`",
    "env": "variables in every environment; secrets only as `${NAME}`",
    "defaults": "timeout, window, minimum samples, retry, clear, blind after",
    "rollback": "`auto`, or `ask` a person first",
    "recovery": "how many green buckets end a rollback, and how long it may take",
    "cwd": "folder in which commands run, seen from the runbook",
    "timezone": "in which times are printed",
    "contacts": "who is told or asked, and by which channels",
    "alerts": "who is told of which alerts, and when again",
    "parallel": "how many checks may run side by side",
    "offline": "`yes`: this site has no way out; commands that fetch from outside are mistakes",
    "release window": "when the deployment may begin: `Tue-Thu 02:00-05:00 Europe/London`",
    "freeze": "days on which nothing is released: `2026-12-18 to 2027-01-04: year end`",
}
_OURS = frozenset({"targets", "metrics", "environments", "env", "service"})


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that the front matter says, with the defaults of what it does not say."""

    mode: Mode = Mode.ASSISTED
    title: str | None = None
    service: str | None = None
    targets: tuple[Target, ...] = ()
    metrics: tuple[Metric, ...] = ()
    environments: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    automatic: bool = True
    timeout_s: float = 300.0
    retry: Retry | None = None
    others: Mapping[str, str] = field(default_factory=dict)
    has_timeout: bool = False
    receivers: Receivers = field(default_factory=Receivers)
    recovery: Written | None = None  # read with the rollback section
    freezes: tuple[Freeze, ...] = ()
    places: Mapping[str, Span] = field(default_factory=dict)  # of settings that are read later


def read(front: FrontMatter | None, book: Notebook) -> Settings:
    """Return the settings and set the mode of the notebook.

    Without `gonogo: 1` the runbook is assisted and its front matter somebody else's: it is
    ignored, and the notebook says so.
    """
    if front is None:
        return Settings()
    says_gonogo = re.search(r"^[\"']?gonogo[\"']?\s*:", front.text, re.MULTILINE) is not None
    if not says_gonogo:
        _foreign(front, book)
        return Settings()
    book.mode = Mode.EXPLICIT
    book.mean(front.span, "front matter", "settings of the runbook")
    root = yaml_nodes.compose(front.text, front.place, book, "GN301")
    if root is None:
        return Settings(mode=Mode.EXPLICIT)
    if not isinstance(root, yaml.MappingNode):
        book.error("GN301", "the front matter is no list of `name: value`", front.span)
        return Settings(mode=Mode.EXPLICIT)
    draft = SettingsDraft(front, book)
    for key, node in yaml_nodes.doubled(root):
        draft.wrong(node, f"`{key}` is set twice", "keep one of the two")
    for key, key_node, value in yaml_nodes.pairs(root):
        reader = _READERS.get(key)
        if reader is None:
            book.error(
                "GN303",
                f"the front matter has no setting `{key}`",
                draft.span(key_node),
                hint=book.did_you_mean(key, KEYS),
            )
            continue
        reader(draft, key, value)
        book.mean(yaml_nodes.whole(key_node, value, front.place), "setting", f"{key}: {KEYS[key]}")
    return _done(draft)


def _done(draft: SettingsDraft) -> Settings:
    return Settings(
        mode=draft.mode,
        title=draft.texts.pop("title", None),
        service=draft.texts.pop("service", None),
        targets=tuple(draft.targets),
        metrics=tuple(draft.metrics),
        environments=draft.environments,
        env=draft.env,
        automatic=draft.automatic,
        timeout_s=draft.timeout_s or 300.0,
        retry=draft.retry,
        others=dict(sorted(draft.texts.items())),
        has_timeout=draft.timeout_s is not None,
        receivers=draft.receivers(),
        recovery=draft.written().get("recovery"),
        freezes=tuple(draft.freezes),
        places=draft.places,
    )


def _foreign(front: FrontMatter, book: Notebook) -> None:
    ours = sorted(k for k in _OURS if re.search(rf"^{k}\s*:", front.text, re.MULTILINE))
    place = Span.of_line(front.span.line, 1, 3)
    if ours:
        book.warn(
            "GN304",
            f"the front matter names `{ours[0]}` but not `gonogo: 1`, so it is ignored",
            place,
            hint="add the line `gonogo: 1` to make the runbook explicit",
        )
    else:
        book.note("GN304", "front matter of another tool is ignored", place)
    book.mean(front.span, "ignored", "front matter without `gonogo: 1`")


_READERS: dict[str, Callable[[SettingsDraft, str, yaml.Node], None]] = {
    "gonogo": settings_plain.version,
    "title": settings_plain.one_line,
    "service": settings_plain.one_line,
    "targets": settings_named.targets,
    "metrics": settings_named.metrics,
    "environments": settings_named.environments,
    "env": settings_named.env,
    "defaults": settings_named.defaults,
    "rollback": settings_plain.rollback,
    "recovery": settings_plain.told,
    "cwd": settings_plain.one_line,
    "timezone": settings_plain.one_line,
    "contacts": settings_plain.told,
    "alerts": settings_plain.told,
    "parallel": settings_plain.parallel,
    "offline": settings_plain.offline,
    "release window": settings_plain.one_line,
    "freeze": settings_plain.freeze,
}
