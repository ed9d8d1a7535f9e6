"""Reads the settings that hold names with values: targets, metrics, environments, defaults."""

from __future__ import annotations

import re

import yaml

from gonogo.plan.model import Metric, Target
from gonogo.runbook import durations, yaml_nodes
from gonogo.runbook.settings_draft import SettingsDraft
from gonogo.runbook.values import parse_retry

DEFAULT_KEYS = ("timeout", "window", "minimum samples", "retry", "clear", "blind after")
_SECRET_NAME = re.compile(
    r"passw(?:or)?d|secret|token|api_?key|private_?key|credential|passphrase", re.IGNORECASE
)
_SECRET_URL = re.compile(r"://[^\s:/@]{0,100}:(?!\$\{)([^\s@/]{1,200})@")
_REFERENCE = re.compile(r"\$\{?[A-Za-z_]\w*\}?")


def _mapping(draft: SettingsDraft, key: str, node: yaml.Node) -> yaml.MappingNode | None:
    if isinstance(node, yaml.ScalarNode) and node.tag.endswith(":null"):
        return None
    if not isinstance(node, yaml.MappingNode):
        draft.wrong(node, f"`{key}` must be a list of `name: value`")
        return None
    for name, at in yaml_nodes.doubled(node):
        draft.wrong(at, f"`{name}` stands twice under `{key}`", "keep one of the two")
    return node


def targets(draft: SettingsDraft, key: str, node: yaml.Node) -> None:
    """Read the places in the world by name."""
    mapping = _mapping(draft, key, node)
    for name, key_node, value in yaml_nodes.pairs(mapping) if mapping else ():
        if not isinstance(value, yaml.ScalarNode) or not str(value.value).strip():
            draft.wrong(value, f"the target `{name}` must be one address or `${{NAME}}`")
            continue
        _no_secret(draft, name, value)
        draft.targets.append(Target(name, str(value.value).strip(), draft.span(key_node)))


def metrics(draft: SettingsDraft, key: str, node: yaml.Node) -> None:
    """Read the names used in rules, each with its source."""
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


def environments(draft: SettingsDraft, key: str, node: yaml.Node) -> None:
    """Read the variables of each environment."""
    mapping = _mapping(draft, key, node)
    for name, _, value in yaml_nodes.pairs(mapping) if mapping else ():
        draft.environments[name] = _bindings(draft, name, value)


def env(draft: SettingsDraft, key: str, node: yaml.Node) -> None:
    """Read the variables of every environment."""
    draft.env = _bindings(draft, key, node)


def _bindings(draft: SettingsDraft, key: str, node: yaml.Node) -> dict[str, str]:
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


def _no_secret(draft: SettingsDraft, name: str, node: yaml.ScalarNode) -> None:
    text = str(node.value).strip()
    named = _SECRET_NAME.search(name) is not None and text and not _REFERENCE.search(text)
    if named or _SECRET_URL.search(text):
        draft.book.error(
            "GN306",
            f"`{name}` holds a secret in plain text",
            draft.span(node),
            hint=f"write `${{{re.sub(r'[^A-Z0-9_]', '_', name.upper())}}}` and give it to the run",
        )


def defaults(draft: SettingsDraft, key: str, node: yaml.Node) -> None:
    """Read what holds where a step or a rule does not say it."""
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


def _of_rules(draft: SettingsDraft, name: str, node: yaml.Node, text: str) -> None:
    """Read when a rule resolves, and when somebody is paged because a metric is silent."""
    if name == "blind after":
        draft.texts[name] = f"{_duration(draft, name, node, text) or 600.0:g}"
    elif text.isdigit() and 1 <= int(text[:9]) <= 1000:
        draft.texts[name] = text
    else:
        draft.wrong(node, f"`{name}` is `{text}`, expected a number of buckets, 1 to 1000")


def _duration(draft: SettingsDraft, name: str, node: yaml.Node, text: str) -> float | None:
    found = durations.seconds(text)
    if found is None or found <= 0:
        draft.wrong(node, f"`{name}` is `{text}`, expected a duration such as `5m`")
        return None
    return found
