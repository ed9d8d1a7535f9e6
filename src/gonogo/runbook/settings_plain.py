"""Reads the settings of the front matter that are one value or a list: version, texts, freezes."""

from __future__ import annotations

import yaml

from gonogo.plan import windows
from gonogo.runbook import yaml_nodes
from gonogo.runbook.settings_draft import SettingsDraft


def version(draft: SettingsDraft, _key: str, node: yaml.Node) -> None:
    """Hold the version of the language against the one that is known."""
    found = yaml_nodes.plain(node)
    if str(found) != "1" or isinstance(found, bool):
        draft.book.error(
            "GN305",
            f"version `{yaml_nodes.say(found)}` of the runbook language is not known",
            draft.span(node),
            hint="this gonogo understands `gonogo: 1`",
        )


def one_line(draft: SettingsDraft, key: str, node: yaml.Node) -> None:
    """Read a setting that is one line of text."""
    if not isinstance(node, yaml.ScalarNode) or not str(node.value).strip():
        draft.wrong(node, f"`{key}` must be one line of text")
        return
    draft.texts[key] = str(node.value).strip()
    draft.places[key] = draft.span(node)


def offline(draft: SettingsDraft, key: str, node: yaml.Node) -> None:
    """Read whether the site has no way out."""
    found = yaml_nodes.say(yaml_nodes.plain(node))
    if found not in ("yes", "no", "true", "false"):
        draft.wrong(node, f"`offline` is `{found}`, expected `yes` or `no`")
        return
    draft.texts[key] = "yes" if found in ("yes", "true") else "no"


def freeze(draft: SettingsDraft, key: str, node: yaml.Node) -> None:
    """Read the days on which nothing is released."""
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


def told(draft: SettingsDraft, key: str, node: yaml.Node) -> None:
    """Keep a setting that another room reads."""
    if not (isinstance(node, yaml.ScalarNode) and node.tag.endswith(":null")):
        draft.told[key] = node
        draft.texts[key] = yaml_nodes.say(yaml_nodes.plain(node))


def parallel(draft: SettingsDraft, key: str, node: yaml.Node) -> None:
    """Read how many checks may run side by side."""
    found = yaml_nodes.plain(node)
    if not isinstance(found, int) or isinstance(found, bool) or not 1 <= found <= 64:
        draft.wrong(node, f"`parallel` is `{yaml_nodes.say(found)}`, expected 1 to 64")
        return
    draft.texts[key] = str(found)


def rollback(draft: SettingsDraft, _key: str, node: yaml.Node) -> None:
    """Read whether a rollback asks a person first."""
    found = yaml_nodes.plain(node)
    if found not in ("auto", "ask"):
        draft.wrong(
            node,
            f"`rollback` is `{yaml_nodes.say(found)}`, expected `auto` or `ask`",
            "`auto` rolls back by itself; `ask` waits for a person's yes",
        )
        return
    draft.automatic = found == "auto"
