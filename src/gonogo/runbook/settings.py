"""The settings of a runbook: what the front matter says, typed, with a place for each value."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import yaml

from gonogo.plan import windows
from gonogo.plan.model import Metric, Mode, Retry, Target
from gonogo.plan.receivers import Receivers
from gonogo.plan.receiving import Written, read_receivers
from gonogo.plan.windows import Freeze
from gonogo.runbook import durations, yaml_nodes
from gonogo.runbook.notebook import Notebook
from gonogo.runbook.outline import FrontMatter
from gonogo.runbook.values import parse_retry
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
DEFAULT_KEYS = ("timeout", "window", "minimum samples", "retry", "clear", "blind after")
_OURS = frozenset({"targets", "metrics", "environments", "env", "service"})
_SECRET_NAME = re.compile(
    r"passw(?:or)?d|secret|token|api_?key|private_?key|credential|passphrase", re.IGNORECASE
)
_SECRET_URL = re.compile(r"://[^\s:/@]{0,100}:(?!\$\{)([^\s@/]{1,200})@")
_REFERENCE = re.compile(r"\$\{?[A-Za-z_]\w*\}?")


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


class _Draft:
    """Settings in the making."""

    def __init__(self, front: FrontMatter, book: Notebook) -> None:
        self.front = front
        self.book = book
        self.mode = Mode.EXPLICIT
        self.texts: dict[str, str] = {}
        self.targets: list[Target] = []
        self.metrics: list[Metric] = []
        self.environments: dict[str, dict[str, str]] = {}
        self.env: dict[str, str] = {}
        self.automatic = True
        self.timeout_s: float | None = None
        self.retry: Retry | None = None
        self.told: dict[str, yaml.Node] = {}
        self.freezes: list[Freeze] = []
        self.places: dict[str, Span] = {}

    def span(self, node: yaml.Node) -> Span:
        return yaml_nodes.span_of(node, self.front.place)

    def wrong(self, node: yaml.Node, message: str, hint: str = "") -> None:
        self.book.error("GN302", message, self.span(node), hint=hint)

    def done(self) -> Settings:
        return Settings(
            mode=self.mode,
            title=self.texts.pop("title", None),
            service=self.texts.pop("service", None),
            targets=tuple(self.targets),
            metrics=tuple(self.metrics),
            environments=self.environments,
            env=self.env,
            automatic=self.automatic,
            timeout_s=self.timeout_s or 300.0,
            retry=self.retry,
            others=dict(sorted(self.texts.items())),
            has_timeout=self.timeout_s is not None,
            receivers=self.receivers(),
            recovery=self.written().get("recovery"),
            freezes=tuple(self.freezes),
            places=self.places,
        )

    def written(self) -> dict[str, Written]:
        """Return the settings that other rooms read."""
        return {
            name: yaml_nodes.written(node, self.front.place) for name, node in self.told.items()
        }

    def receivers(self) -> Receivers:
        """Read contacts and alerts together, since alerts name contacts, in whichever order."""
        written = self.written()
        found, diagnostics = read_receivers(written.get("contacts"), written.get("alerts"))
        self.book.extend(diagnostics)
        return found


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
    draft = _Draft(front, book)
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
    return draft.done()


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


def _version(draft: _Draft, _key: str, node: yaml.Node) -> None:
    found = yaml_nodes.plain(node)
    if str(found) != "1" or isinstance(found, bool):
        draft.book.error(
            "GN305",
            f"version `{yaml_nodes.say(found)}` of the runbook language is not known",
            draft.span(node),
            hint="this gonogo understands `gonogo: 1`",
        )


def _text(draft: _Draft, key: str, node: yaml.Node) -> None:
    if not isinstance(node, yaml.ScalarNode) or not str(node.value).strip():
        draft.wrong(node, f"`{key}` must be one line of text")
        return
    draft.texts[key] = str(node.value).strip()
    draft.places[key] = draft.span(node)


def _offline(draft: _Draft, key: str, node: yaml.Node) -> None:
    found = yaml_nodes.say(yaml_nodes.plain(node))
    if found not in ("yes", "no", "true", "false"):
        draft.wrong(node, f"`offline` is `{found}`, expected `yes` or `no`")
        return
    draft.texts[key] = "yes" if found in ("yes", "true") else "no"


def _freeze(draft: _Draft, key: str, node: yaml.Node) -> None:
    items = node.value if isinstance(node, yaml.SequenceNode) else [node]
    for item in items:
        for text in _lines_of(item):
            try:
                draft.freezes.append(windows.read_freeze(text))
            except windows.NotUnderstood as error:
                draft.book.error("GN550", str(error), draft.span(item))
    draft.texts[key] = "; ".join(one.say() for one in draft.freezes)


def _lines_of(item: yaml.Node) -> list[str]:
    """Return an entry as text; without quotes YAML takes `DAYS: why` for a name and a value."""
    if not isinstance(item, yaml.MappingNode):
        return [yaml_nodes.say(yaml_nodes.plain(item))]
    pairs = yaml_nodes.pairs(item)
    return [f"{name}: {yaml_nodes.say(yaml_nodes.plain(value))}" for name, _, value in pairs]


def _told(draft: _Draft, key: str, node: yaml.Node) -> None:
    if not (isinstance(node, yaml.ScalarNode) and node.tag.endswith(":null")):
        draft.told[key] = node
        draft.texts[key] = yaml_nodes.say(yaml_nodes.plain(node))


def _parallel(draft: _Draft, key: str, node: yaml.Node) -> None:
    found = yaml_nodes.plain(node)
    if not isinstance(found, int) or isinstance(found, bool) or not 1 <= found <= 64:
        draft.wrong(node, f"`parallel` is `{yaml_nodes.say(found)}`, expected 1 to 64")
        return
    draft.texts[key] = str(found)


def _rollback(draft: _Draft, _key: str, node: yaml.Node) -> None:
    found = yaml_nodes.plain(node)
    if found not in ("auto", "ask"):
        draft.wrong(
            node,
            f"`rollback` is `{yaml_nodes.say(found)}`, expected `auto` or `ask`",
            "`auto` rolls back by itself; `ask` waits for a person's yes",
        )
        return
    draft.automatic = found == "auto"


def _mapping(draft: _Draft, key: str, node: yaml.Node) -> yaml.MappingNode | None:
    if isinstance(node, yaml.ScalarNode) and node.tag.endswith(":null"):
        return None
    if not isinstance(node, yaml.MappingNode):
        draft.wrong(node, f"`{key}` must be a list of `name: value`")
        return None
    for name, at in yaml_nodes.doubled(node):
        draft.wrong(at, f"`{name}` stands twice under `{key}`", "keep one of the two")
    return node


def _targets(draft: _Draft, key: str, node: yaml.Node) -> None:
    mapping = _mapping(draft, key, node)
    for name, key_node, value in yaml_nodes.pairs(mapping) if mapping else ():
        if not isinstance(value, yaml.ScalarNode) or not str(value.value).strip():
            draft.wrong(value, f"the target `{name}` must be one address or `${{NAME}}`")
            continue
        _no_secret(draft, name, value)
        draft.targets.append(Target(name, str(value.value).strip(), draft.span(key_node)))


def _metrics(draft: _Draft, key: str, node: yaml.Node) -> None:
    mapping = _mapping(draft, key, node)
    for name, key_node, value in yaml_nodes.pairs(mapping) if mapping else ():
        if not isinstance(value, yaml.MappingNode) or not value.value:
            draft.wrong(
                value,
                f"the metric `{name}` must name its source",
                'for example `{ sql: db, query: "SELECT …" }`',
            )
            continue
        found = yaml_nodes.plain(value)
        assert isinstance(found, dict)
        words = " ".join(name.casefold().replace("_", " ").split())
        if any(words == m.name for m in draft.metrics):
            draft.wrong(key_node, f"the metric `{name}` is bound twice", "keep one of the two")
            continue
        draft.metrics.append(Metric(words, dict(found), draft.span(key_node)))


def _environments(draft: _Draft, key: str, node: yaml.Node) -> None:
    mapping = _mapping(draft, key, node)
    for name, _, value in yaml_nodes.pairs(mapping) if mapping else ():
        draft.environments[name] = _bindings(draft, name, value)


def _env(draft: _Draft, key: str, node: yaml.Node) -> None:
    draft.env = _bindings(draft, key, node)


def _bindings(draft: _Draft, key: str, node: yaml.Node) -> dict[str, str]:
    found: dict[str, str] = {}
    mapping = _mapping(draft, key, node)
    for name, key_node, value in yaml_nodes.pairs(mapping) if mapping else ():
        if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) is None:
            draft.wrong(key_node, f"`{name}` cannot be the name of a variable")
        elif not isinstance(value, yaml.ScalarNode):
            draft.wrong(value, f"`{name}` must be one line of text")
        else:
            _no_secret(draft, name, value)
            found[name] = str(value.value)
    return found


def _no_secret(draft: _Draft, name: str, node: yaml.ScalarNode) -> None:
    text = str(node.value).strip()
    named = _SECRET_NAME.search(name) is not None and text and not _REFERENCE.search(text)
    if named or _SECRET_URL.search(text):
        draft.book.error(
            "GN306",
            f"`{name}` holds a secret in plain text",
            draft.span(node),
            hint=f"write `${{{re.sub(r'[^A-Z0-9_]', '_', name.upper())}}}` and give it to the run",
        )


def _defaults(draft: _Draft, key: str, node: yaml.Node) -> None:
    mapping = _mapping(draft, key, node)
    for raw, key_node, value in yaml_nodes.pairs(mapping) if mapping else ():
        name = raw.replace("_", " ").strip().casefold()
        text = yaml_nodes.say(yaml_nodes.plain(value))
        if name == "timeout":
            draft.timeout_s = _duration(draft, raw, value, text)
        elif name == "window":
            window = _duration(draft, raw, value, text)
            draft.texts["window"] = f"{window or 300.0:g}"
        elif name == "minimum samples":
            if not text.isdigit() or not 1 <= len(text) <= 9:
                draft.wrong(value, f"`{raw}` is `{text}`, expected a whole number")
            draft.texts["minimum samples"] = text
        elif name in ("clear", "blind after"):
            _of_rules(draft, name, value, text)
        elif name == "retry":
            draft.retry = parse_retry(text)
            if draft.retry is None:
                draft.wrong(value, f"`{text}` is no retry", "write `3 times every 10s`")
        else:
            draft.book.error(
                "GN303",
                f"`defaults` has no setting `{raw}`",
                draft.span(key_node),
                hint=draft.book.did_you_mean(name, DEFAULT_KEYS),
            )


def _of_rules(draft: _Draft, name: str, node: yaml.Node, text: str) -> None:
    """Read when a rule resolves, and when somebody is paged because a metric is silent."""
    if name == "blind after":
        draft.texts[name] = f"{_duration(draft, name, node, text) or 600.0:g}"
    elif text.isdigit() and 1 <= int(text[:9]) <= 1000:
        draft.texts[name] = text
    else:
        draft.wrong(node, f"`{name}` is `{text}`, expected a number of buckets, 1 to 1000")


def _duration(draft: _Draft, name: str, node: yaml.Node, text: str) -> float | None:
    found = durations.seconds(text)
    if found is None or found <= 0:
        draft.wrong(node, f"`{name}` is `{text}`, expected a duration such as `5m`")
        return None
    return found


_READERS: dict[str, Callable[[_Draft, str, yaml.Node], None]] = {
    "gonogo": _version,
    "title": _text,
    "service": _text,
    "targets": _targets,
    "metrics": _metrics,
    "environments": _environments,
    "env": _env,
    "defaults": _defaults,
    "rollback": _rollback,
    "recovery": _told,
    "cwd": _text,
    "timezone": _text,
    "contacts": _told,
    "alerts": _told,
    "parallel": _parallel,
    "offline": _offline,
    "release window": _text,
    "freeze": _freeze,
}
