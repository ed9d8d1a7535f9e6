"""Knows the commands that fetch something from outside, and what a site without a way out does."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from gonogo.plan.outside import outside_host
from gonogo.plan.shellcalls import Call

_IMAGES = "load it from a file: `docker load --input release.tar`, then `compose up --no-build`"
_MIRROR = "name a mirror or a folder inside: {0}"
COPY = "copy it to this site beforehand, and name the copy"
_URL = re.compile(r"(?:https?|ssh|git)://", re.IGNORECASE)
_HERE = re.compile(r"\$|\{\{|/|\.|file://", re.IGNORECASE)


def reaches_out(call: Call) -> str | None:
    """Return how to do without, for a call that fetches from outside; None for all others."""
    rule = _RULES.get(call.name)
    return rule(call) if rule is not None else None


def _git(call: Call) -> str | None:
    words = call.plain("-C -c --git-dir --work-tree --depth --branch -b -o --origin")
    if words[:1] not in (("pull",), ("fetch",), ("clone",), ("ls-remote",)):
        return None
    source = words[1] if len(words) > 1 else "origin"
    if outside_host(source) is None if _URL.match(source) else _HERE.match(source):
        return None
    return f"name the offline source: `git {words[0]} /media/release.bundle main`, or a mirror"


def _docker(call: Call) -> str | None:
    words = call.plain("-f --file -p --project-name --profile --env-file -t --tag")
    compose = call.name in ("docker-compose", "podman-compose") or words[:1] == ("compose",)
    if compose and words[:1] == ("compose",):
        words = words[1:]
    if words[:1] == ("pull",):
        return _IMAGES
    if words[:1] in (("build",), ("buildx",)) and not call.has("--pull=false", "--network=none"):
        return f"a build may pull its base images; {_IMAGES}"
    return None


def _packages(option: str, *verbs: str) -> Callable[[Call], str | None]:
    """Return a rule for a package manager: it reaches out unless `option` is given."""

    def rule(call: Call) -> str | None:
        words = call.plain()
        wanted = not verbs or any(verb in words[:2] for verb in verbs)
        if not wanted or call.has(*option.split("|")):
            return None
        return _MIRROR.format(f"`{call.name} {words[0] if words else ''} {option.split('|')[0]} …`")

    return rule


def _helm(call: Call) -> str | None:
    words = call.plain("-n --namespace")
    fetches = words[:2] in (("repo", "add"), ("repo", "update")) or words[:1] == ("pull",)
    return "bring the chart along and name its file or folder" if fetches else None


def _url(call: Call) -> str | None:
    for word in call.args:
        if outside_host(word) is not None:
            return COPY
    return None


_RULES: Mapping[str, Callable[[Call], str | None]] = {
    "git": _git,
    **dict.fromkeys(("docker", "podman", "docker-compose", "podman-compose"), _docker),
    **dict.fromkeys(("curl", "wget"), _url),
    **dict.fromkeys(("apt", "apt-get"), _packages("--no-download", "install", "update", "upgrade")),
    **dict.fromkeys(("pip", "pip3"), _packages("--no-index|--index-url", "install", "download")),
    **dict.fromkeys(("npm", "pnpm"), _packages("--offline", "install", "ci", "i", "add")),
    "yarn": _packages("--offline", "install", "add"),
    "bundle": _packages("--local", "install", "update"),
    "gem": _packages("--local", "install"),
    "go": _packages("-mod", "get", "install", "download"),
    "helm": _helm,
    "uv": _packages("--offline|--no-index", "sync", "lock", "install"),
    "cargo": _packages("--offline", "install", "fetch", "update"),
    "apk": _packages("--no-network", "add", "update"),
    "dnf": _packages("--cacheonly", "install", "update"),
}
