"""Which programs a shell text calls, seen through `sudo`, `timeout`, `docker exec` or `bash -c`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from gonogo.plan.shellsyntax import split
from gonogo.plan.shellwords import Command, Script

_DEEPEST = 8

SHELLS = frozenset(("bash", "sh", "zsh", "dash", "ksh", "ash"))
COMPOSE = frozenset(("docker-compose", "podman-compose"))
CONTAINERS = frozenset(("docker", "podman", "nerdctl", "kubectl", "oc"))

# Programs that run the rest of their words, with those of their options that take a value.
_PREFIXES = {
    "sudo": "-u -g -h -p -C -U -r -t -D --user --group",
    "doas": "-u -C",
    "env": "-u -C -S --unset --chdir",
    "nohup": "",
    "exec": "-a",
    "command": "",
    "builtin": "",
    "nice": "-n --adjustment",
    "ionice": "-c -n -p --class --classdata",
    "stdbuf": "-i -o -e",
    "setsid": "",
    "chronic": "",
    "unbuffer": "",
    "caffeinate": "-t",
    "timeout": "-k -s --kill-after --signal",
    "gtimeout": "-k -s --kill-after --signal",
    "watch": "-n --interval -d",
    "xargs": "-n -I -P -L -d -s -a -E --max-args --max-procs --delimiter --replace",
    "npx": "-p --package",
    "bunx": "",
    "pnpx": "",
    "time": "-o -f",
    "flock": "-w -E --timeout",
    "su": "-s --shell",
    "runuser": "-u -g -s --user --shell",
    "chroot": "",
    "nsenter": "-t -S -G --target",
    "systemd-run": "-p -u -M -E --property --unit --uid --gid --slice --setenv --on-calendar",
    "parallel": "-j -a -I --jobs --arg-file --colsep --joblog",
    "dotenv": "-e -f",
}
_READING_SHELL = re.compile(r"(?:sudo\s+)?(?:/bin/)?(?:ba|z|da|k|a)?sh(?:\s+-\w+)*")
_VERSION = re.compile(r"(?<=[\w-])@[\w.^~-]+$")  # npx tool@2
_ONE_WORD_FIRST = frozenset(("timeout", "gtimeout", "flock", "chroot"))
_OWN_TOOLS = frozenset(  # `yarn prisma …`: called without a word such as `exec` between
    "prisma supabase sequelize sequelize-cli typeorm knex vercel".split()  # noqa: SIM905
)
_RUNNERS = {  # program -> subcommand behind which another command stands
    "bundle": "exec",
    "pnpm": "exec",
    "yarn": "exec",
    "npm": "exec",
    "poetry": "run",
    "pipenv": "run",
    "uv": "run",
    "rye": "run",
    "pdm": "run",
    "heroku": "run",
    "doppler": "run",
    "op": "run",
    "infisical": "run",
    "aws-vault": "exec",
}
_EXEC_VALUES = "-u -w -e -n -c --user --workdir --env --namespace --container --index --context"
_RUN_VALUES = (
    _EXEC_VALUES + " -v -p -h -l -m -a --volume --mount --name --network --net --env-file --publish"
    " --hostname --label --memory --cpus --entrypoint --platform --add-host --volumes-from --link"
    " --restart --log-driver --log-opt --tmpfs --gpus --shm-size --ulimit --pull --secret"
)
_CLUSTERS = frozenset(("kubectl", "oc"))
_SSH_VALUES = "-p -i -l -o -F -J -L -R -D -b -c -E -e -m -O -Q -S -W -w -B -I"


@dataclass(frozen=True, slots=True)
class Call:
    """One program that is called, with its arguments (quotes taken off)."""

    name: str  # without its folder
    args: tuple[str, ...]
    command: Command  # in whose words it stands
    at: int  # where the command starts, in the outermost text
    end: int
    outer: tuple[str, ...] = ()  # programs that it is called through
    reads: Command | None = None  # whose output it reads through a pipe
    into: Command | None = None  # which command reads its output
    awaited: bool = True  # not sent to the background with &
    innermost: bool = False  # the last layer: nothing is called through it

    @property
    def is_bounded(self) -> bool:
        """Say whether `timeout` ends it."""
        return "timeout" in self.outer or "gtimeout" in self.outer

    @property
    def has_input(self) -> bool:
        """Say whether its standard input is a file, a here document or a pipe."""
        return self.reads is not None or self.command.has_input or "xargs" in self.outer

    def has(self, *options: str) -> bool:
        """Say whether one of the options is given: `-f` also inside `-rf`, `--x` also as `--x=1`.

        Only single-letter options are looked for in clusters.
        """
        return any(_matches(arg, option) for arg in self.args for option in options)

    def value(self, *options: str) -> str | None:
        """Return the value of the first of the options: `--x=v`, `--x v`, `-xv`, `-x v`."""
        for index, arg in enumerate(self.args):
            for option in options:
                if arg == option:
                    return self.args[index + 1] if index + 1 < len(self.args) else ""
                if option.startswith("--") and arg.startswith(option + "="):
                    return arg[len(option) + 1 :]
                if len(option) == 2 and arg.startswith(option) and not arg.startswith("--"):
                    return arg[2:]
        return None

    def plain(self, values: str = "") -> tuple[str, ...]:
        """Return the arguments that are no options; `values` lists options that take one more."""
        return tuple(_plain(self.args, frozenset(values.split())))


def _matches(arg: str, option: str) -> bool:
    if option.startswith("--"):
        return arg == option or arg.startswith(option + "=")
    if len(option) == 2 and option[0] == "-":
        return len(arg) > 1 and arg[0] == "-" and arg[1] != "-" and option[1] in arg[1:]
    return arg == option


def _plain(args: tuple[str, ...], values: frozenset[str]) -> Iterator[str]:
    skip = False
    for arg in args:
        if skip:
            skip = False
        elif arg in values:
            skip = True
        elif not arg.startswith("-") or arg == "-":
            yield arg


def calls(script: Script) -> tuple[Call, ...]:
    """Return all calls of a script, outer ones first, in the order of the text."""
    return tuple(_calls(script, 0, None, ()))


def _calls(
    script: Script, deep: int, within: Call | None, outer: tuple[str, ...]
) -> Iterator[Call]:
    before: dict[int, Command] = {}
    after: dict[tuple[int, int], Command] = {}
    reads: dict[tuple[int, int], Command] = {}
    for command in script.commands:
        former = before.get(command.level)
        if former is not None and former.ends in {"|", "|&"}:
            after[former.level, former.at] = command
            reads[command.level, command.at] = former
        before[command.level] = command
    for command in script.commands:
        if not command.words:
            continue
        key = command.level, command.at
        first = command.words[0]
        call = Call(
            first.value.rpartition("/")[2] or first.value,
            tuple(word.value for word in command.words[1:]),
            command,
            within.at if within else first.at,
            within.end if within else command.words[-1].end,
            outer,
            reads.get(key) or (within.reads if within else None),
            after.get(key) or (within.into if within else None),
            command.ends != "&" and (within is None or within.awaited),
        )
        yield from _layers(call, deep)


def _layers(call: Call, deep: int) -> Iterator[Call]:
    """Yield the call and what is called through it."""
    text = _text_in(call)
    inner = None if text is not None else _inner(call)
    yield replace(call, innermost=text is None and inner is None)
    if deep >= _DEEPEST:
        return
    through = (*call.outer, call.name)
    if text is not None:
        yield from _calls(split(text), deep + 1, call, through)
    elif inner:
        name = _VERSION.sub("", inner[0].rpartition("/")[2]) or inner[0]
        yield from _layers(replace(call, name=name, args=inner[1:], outer=through), deep + 1)


def _text_in(call: Call) -> str | None:
    """Return the shell text that the call hands to another shell."""
    if call.name in SHELLS and call.has("-c"):
        rest = [a for i, a in enumerate(call.args) if i and _is_c(call.args[i - 1])]
        return rest[0] if rest else None
    if call.name in SHELLS and call.command.documents and not call.plain():
        return "\n".join(call.command.documents)
    if call.name in _TEXTS:
        return _TEXTS[call.name](call)
    if call.name == "ssh":
        rest = list(_after_options(call.args, frozenset(_SSH_VALUES.split())))
        reads = call.command.documents and _READING_SHELL.fullmatch(" ".join(rest[1:]))
        if len(rest) > 1 and not reads:
            return " ".join(rest[1:])
        return "\n".join(call.command.documents) or None
    return None


def _trapped(call: Call) -> str | None:
    return call.args[0] if len(call.args) > 1 and not call.args[0].startswith("-") else None


_TEXTS: Mapping[str, Callable[[Call], str | None]] = {  # how else a text is handed over
    "eval": lambda call: " ".join(call.args),
    "trap": _trapped,
    "su": lambda call: call.value("-c", "--command"),
    "runuser": lambda call: call.value("-c", "--command"),
    "ansible": lambda call: call.value("-a", "--args"),
}


def _is_c(arg: str) -> bool:
    return arg.startswith("-") and not arg.startswith("--") and arg.endswith("c")


def _inner(call: Call) -> tuple[str, ...] | None:
    """Return the words of the command that the call runs; None if it runs none."""
    for reader in (_prefixed, _executed, _run_by):
        words = reader(call)
        if words:
            return words
    return None


def _prefixed(call: Call) -> tuple[str, ...] | None:
    values = _PREFIXES.get(call.name)
    if values is None or call.name == "su" or _only_asks(call):
        return None
    rest = _after_options(call.args, frozenset(values.split()))
    if call.name in _ONE_WORD_FIRST:
        rest = rest[1:]
    if call.name == "parallel":
        rest = rest[: next((i for i, word in enumerate(rest) if word.startswith(":::")), None)]
    while rest and call.name in {"env", "sudo", "doas"} and _is_assignment(rest[0]):
        rest = rest[1:]
    return rest


def _only_asks(call: Call) -> bool:
    """Say whether `command -v name` only looks where a program is."""
    return call.name == "command" and call.has("-v", "-V")


def _executed(call: Call) -> tuple[str, ...] | None:
    """See through `docker exec|run`, `docker compose exec|run` and `kubectl exec|run`."""
    args = call.args
    if call.name in COMPOSE:
        args = ("compose", *args)
    elif call.name not in CONTAINERS:
        return None
    values = frozenset((*_EXEC_VALUES.split(), "-f", "-p", "--file", "--project-name"))
    rest = _after_options(args, values)
    if rest[:1] == ("compose",):
        rest = _after_options(rest[1:], values)
        if rest[:1] == ("run",):
            rest = ("exec", *rest[1:])
    if rest[:1] not in (("exec",), ("run",)):
        return None
    if "--" in rest:
        return rest[rest.index("--") + 1 :]
    if rest[0] == "run":
        values = frozenset(_RUN_VALUES.split())
        return _after_options(rest[1:], values)[1:] if call.name not in _CLUSTERS else None
    return _after_options(rest[1:], frozenset(_EXEC_VALUES.split()))[1:]


def _run_by(call: Call) -> tuple[str, ...] | None:
    if call.name in {"yarn", "pnpm", "bun"} and _OWN_TOOLS & set(call.args[:1]):
        return call.args
    if call.name in {"yarn", "pnpm"} and call.args[:1] == ("dlx",):
        return _after_options(call.args[1:], frozenset())
    if _RUNNERS.get(call.name) not in call.args[:1]:
        return None
    if "--" in call.args:
        return call.args[call.args.index("--") + 1 :]
    return _after_options(call.args[1:], frozenset(("-a", "--app")))


def _after_options(args: tuple[str, ...], values: frozenset[str]) -> tuple[str, ...]:
    """Return the arguments from the first that is neither an option nor an option's value."""
    index = 0
    while index < len(args) and args[index].startswith("-") and args[index] != "--":
        index += 2 if args[index] in values else 1
    if index < len(args) and args[index] == "--":
        index += 1
    return args[index:]


def _is_assignment(word: str) -> bool:
    name, sign, _ = word.partition("=")
    return bool(sign) and name.isidentifier()
