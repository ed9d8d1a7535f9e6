"""Knows the commands that never end by themselves, and what to write instead."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from gonogo.plan.shellcalls import Call
from gonogo.plan.shellwords import Script

_FOLLOW = "leave out the following; to watch something, put an expectation with `Retry:` on it"
_SERVER = "start it as a service, or in the background with its output in a file"
_COUNT = "give it a count, or run it under `timeout 30`"
_SCREEN = "print once instead (`-b -n 1`, `--no-stream`), or make it a manual step"
_DEV_SCRIPTS = re.compile(r"(?:dev|start|serve|watch|preview)(?::[\w:-]+)?$")
_ALWAYS = frozenset(("true", ":", "1"))
_ENDING = frozenset(("break", "exit", "return"))


def endless(call: Call) -> str | None:
    """Return what to do about a call that never ends; None if it ends."""
    if call.is_bounded or not call.awaited or _is_cut_short(call):
        return None
    rule = _RULES.get(call.name)
    return rule(call) if rule else None


def endless_loops(script: Script) -> tuple[tuple[int, int], ...]:
    """Return offsets of loops without an end: `while true` without break, `for ((;;))`."""
    if any(c.words and c.words[0].value in _ENDING for c in script.commands):
        return ()
    if any(c.lead == ("done",) and c.ends == "&" for c in script.commands):
        return ()
    found = [(at, at + 8) for at in script.endless_for]
    for command in script.commands:
        values = " ".join(word.value for word in command.words)
        lead = command.lead[-1:]
        if (lead == ("while",) and values in _ALWAYS) or (lead == ("until",) and values == "false"):
            found.append((command.at, command.words[-1].end))
    return tuple(found)


def _is_cut_short(call: Call) -> bool:
    """Say whether the reader of the output ends early and so ends the call too."""
    if call.into is None or not call.into.words:
        return False
    words = [word.value for word in call.into.words]
    if words[0] == "grep":
        return any(re.match(r"-\w*[qm]|--quiet|--max-count", word) for word in words[1:])
    return words[0] in {"head", "timeout"} or (words[0] == "sed" and "q" in words[-1])


def _tail(call: Call) -> str | None:
    return _FOLLOW if call.has("-f", "-F", "--follow") else None


def _logs(call: Call) -> str | None:
    """`docker logs`, `docker compose logs`, `kubectl logs`, `heroku logs` and their like."""
    words = call.plain("-n --namespace -f --file -p -a --app -c --context --since --tail")
    compose = call.name in {"docker-compose", "podman-compose"} or words[:1] == ("compose",)
    if compose:
        words = words[1:] if words[:1] == ("compose",) else words
        if words[:1] == ("up",) and not call.has(
            "-d", "--detach", "--wait", "--abort-on-container-exit", "--exit-code-from"
        ):
            return "start it in the background: `docker compose up -d --wait`"
    args = call.args[call.args.index("logs") + 1 :] if "logs" in call.args else ()
    if any(re.fullmatch(r"-[a-z]*f[a-z]*|--follow(?:=true)?", arg) for arg in args):
        return _FOLLOW
    if call.name in {"docker", "podman"}:
        return _docker(call, words)
    return _kubectl(call, words) if call.name in {"kubectl", "oc"} else None


def _docker(call: Call, words: tuple[str, ...]) -> str | None:
    if words[:1] == ("stats",) and not call.has("--no-stream"):
        return _SCREEN
    if words[:1] in (("attach",), ("events",)) and not call.has("--until"):
        return _COUNT
    return None


def _kubectl(call: Call, words: tuple[str, ...]) -> str | None:
    if words[:1] in (("port-forward",), ("proxy",), ("attach",)):
        return "put it in the background with `&` and end it at the end of the block"
    if words[:1] in (("get",), ("describe",)) and call.has("-w", "--watch", "--watch-only"):
        return "use `kubectl wait --for=… --timeout=…` or `kubectl rollout status --timeout=…`"
    return None


def _scripts(call: Call) -> str | None:
    words = call.plain("--prefix -C --dir --cwd --filter -F -w --workspace")
    word = words[1] if words[:1] == ("run",) and len(words) > 1 else (words or ("",))[0]
    if call.name == "pnpm" and word in {"next", "vite"}:
        return _SERVER
    return _SERVER if _DEV_SCRIPTS.match(word) else None


def _with_words(hint: str, *first: str) -> Callable[[Call], str | None]:
    """Return a rule: endless when its first word is one of `first`."""
    return lambda call: hint if call.plain()[:1] and call.plain()[0] in first else None


def _always(hint: str) -> Callable[[Call], str | None]:
    return lambda call: None if call.has("--version", "--help", "-V") else hint


def _without(hint: str, *options: str) -> Callable[[Call], str | None]:
    """Return a rule: endless unless one of the options is given."""
    return lambda call: None if call.has(*options, "--version", "--help") else hint


def _with(hint: str, *options: str) -> Callable[[Call], str | None]:
    return lambda call: hint if call.has(*options) else None


def _python(call: Call) -> str | None:
    module = call.value("-m")
    if module in {"http.server", "SimpleHTTPServer", "uvicorn", "flask", "celery"}:
        return _SERVER
    for index, arg in enumerate(call.args):
        if arg.endswith("manage.py"):
            following = call.args[index + 1 : index + 2]
            return _SERVER if following in (("runserver",), ("qcluster",)) else None
    return None


def _php(call: Call) -> str | None:
    endless_tasks = {"serve", "queue:work", "queue:listen", "horizon", "schedule:work"}
    if call.has("-S"):
        return _SERVER
    words = set(call.args[:3])
    stops = call.has("--once", "--stop-when-empty", "--max-jobs", "--max-time")
    return _SERVER if words & endless_tasks and "artisan" in words and not stops else None


def _redis(call: Call) -> str | None:
    words = [w.upper() for w in call.plain("-h -p -a -n -u --user --pass")[:1]]
    if set(words) & {"MONITOR", "SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE"}:
        return _COUNT
    return _COUNT if call.has("--stat", "--latency", "--latency-history") else None


def _sleep(call: Call) -> str | None:
    return _COUNT if set(call.args) & {"infinity", "inf"} else None


def _interval(call: Call) -> str | None:
    numbers = [arg for arg in call.args if arg.isdigit()]
    return _COUNT if len(numbers) == 1 else None


def _ssh(call: Call) -> str | None:
    hint = "use `-f` to put it in the background, and `-O exit` at the end"
    return hint if call.has("-N") and not call.has("-f") else None


def _heroku(call: Call) -> str | None:
    return _FOLLOW if call.args[:1] == ("logs",) and call.has("-t", "--tail") else None


def _fly(call: Call) -> str | None:
    return _FOLLOW if call.args[:1] == ("logs",) and not call.has("--no-tail", "-n") else None


def _aws(call: Call) -> str | None:
    return _FOLLOW if call.args[:2] == ("logs", "tail") and call.has("--follow") else None


_RULES: Mapping[str, Callable[[Call], str | None]] = {
    "tail": _tail,
    "watch": _always("leave `watch` out and put an expectation with `Retry:` on the command"),
    **dict.fromkeys(
        ("docker", "docker-compose", "podman", "podman-compose", "kubectl", "oc"), _logs
    ),
    **dict.fromkeys(("vercel", "railway", "render", "gcloud"), _with(_FOLLOW, "--follow", "-f")),
    "heroku": _heroku,
    "fly": _fly,
    "flyctl": _fly,
    "aws": _aws,
    "stern": _without(_FOLLOW, "--no-follow"),
    "wrangler": _with_words(_FOLLOW, "tail", "dev"),
    "top": _without(_SCREEN, "-b", "-l", "-n"),
    **dict.fromkeys(
        ("htop", "btop", "atop", "iotop", "iftop", "nmon", "glances", "lazydocker", "k9s", "ctop"),
        _without(_SCREEN, "-b", "-n", "--stdout"),
    ),
    **dict.fromkeys(("npm", "pnpm", "yarn", "bun"), _scripts),
    "next": _with_words(_SERVER, "dev", "start"),
    "nuxt": _with_words(_SERVER, "dev", "start", "preview"),
    "vite": lambda call: None if call.plain()[:1] in (("build",), ("optimize",)) else _SERVER,
    **dict.fromkeys(("rails", "bin/rails"), _with_words(_SERVER, "s", "server")),
    "php": _php,
    **dict.fromkeys(("python", "python3"), _python),
    "manage.py": _with_words(_SERVER, "runserver"),
    "flask": _with_words(_SERVER, "run"),
    **dict.fromkeys(
        ("uvicorn", "hypercorn", "nodemon", "sidekiq", "puma", "ngrok"), _always(_SERVER)
    ),
    "gunicorn": _without(_SERVER, "-D", "--daemon", "--check-config"),
    "celery": lambda call: (
        _SERVER if {"worker", "beat"} & set(call.args) and not call.has("-D", "--detach") else None
    ),
    "node": _with(_SERVER, "--watch"),
    "hugo": _with_words(_SERVER, "server", "serve"),
    "jekyll": _with_words(_SERVER, "serve", "s"),
    "cloudflared": _with_words(_SERVER, "tunnel"),
    "stripe": _with_words(_SERVER, "listen"),
    "redis-server": _without(_SERVER, "--daemonize"),
    **dict.fromkeys(("redis-cli", "valkey-cli"), _redis),
    "pm2": lambda call: (
        _FOLLOW
        if call.plain()[:1] in (("logs",), ("monit",)) and not call.has("--nostream")
        else None
    ),
    "sleep": _sleep,
    "ping": _without(_COUNT, "-c", "-w", "-t"),
    "ping6": _without(_COUNT, "-c", "-w"),
    "journalctl": _with(_FOLLOW, "-f", "--follow"),
    "dmesg": _with(_FOLLOW, "-w", "--follow", "-W"),
    "inotifywait": _with(_COUNT, "-m", "--monitor"),
    "tcpdump": _without(_COUNT, "-c", "-r"),
    **dict.fromkeys(("vmstat", "iostat", "sar", "mpstat"), _interval),
    "yes": lambda call: _COUNT if call.into is None else None,
    **dict.fromkeys(("nc", "ncat", "netcat"), _with(_COUNT, "-l")),
    "ssh": _ssh,
}
