"""Knows the commands that wait for a person at a terminal, and what to write instead."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from gonogo.plan.shellcalls import COMPOSE, CONTAINERS, SHELLS, Call

_MANUAL = "make it a manual step (leave the block out), or change the file with a command"
_PAGER = "use `cat`, or `head -50`"
_LOGIN = "log in before the run, or hand the secret over on standard input from a variable"
_ANSWER = "add the option that answers yes"
_STATEMENT = "say what it is to do: `-c '…'`, a file, or a here document"


def interactive(call: Call) -> str | None:
    """Return what to do about a call that waits for a person; None if it does not."""
    rule = _RULES.get(call.name)
    hint = rule(call) if rule else None
    if hint is None and call.name in COMPOSE | CONTAINERS:
        hint = _terminal(call)
    return hint


def _terminal(call: Call) -> str | None:
    words = call.plain("-n -f -c -p --namespace --file --context")
    if not {"exec", "run", "attach"} & set(words[:2]):
        return None
    if words[:1] == ("attach",):
        return "read its logs instead"
    options = [arg for arg in _own_options(call) if arg.startswith("-")]
    together = any(re.fullmatch(r"-[a-z]*(?:it|ti)[a-z]*", arg, re.IGNORECASE) for arg in options)
    apart = {"-i", "--interactive", "--stdin"} & set(options) and {"-t", "--tty"} & set(options)
    return "leave out `-it`: there is no terminal in a run" if together or apart else None


def _own_options(call: Call) -> tuple[str, ...]:
    """Return the arguments that stand before the command inside the container."""
    if "--" in call.args:
        return call.args[: call.args.index("--")]
    return call.args[:12]


def _always(hint: str) -> Callable[[Call], str | None]:
    return lambda call: None if call.has("--version", "--help") else hint


def _pager(call: Call) -> str | None:
    return _PAGER if call.into is None and not call.has("--version", "--help") else None


def _ssh(call: Call) -> str | None:
    values = "-p -i -l -o -F -J -L -R -D -b -c -E -e -m -O -Q -S -W -w -B -I"
    waits = len(call.plain(values)) == 1 and not call.has_input
    ends = call.has("-N", "-f", "-V", "-O", "-G", "-Q")
    return "write the command behind the host: `ssh host 'command'`" if waits and not ends else None


def _client(*ending: str, values: str = "", most: int = 99) -> Callable[[Call], str | None]:
    """Return a rule: waits unless it has one of the options, more words than `most`, or input."""

    def rule(call: Call) -> str | None:
        if call.has_input or call.has("--version", "--help", *ending):
            return None
        return _STATEMENT if len(call.plain(values)) <= most else None

    return rule


def _shell(call: Call) -> str | None:
    if call.has_input or call.plain() or call.has("-c", "--version", "-s"):
        return None
    return _STATEMENT


def _sudo(call: Call) -> str | None:
    words = call.plain("-u -g -h -p -C -U --user")
    if words[:1] == ("su",):
        return _su_hint if not call.has("-c", "--command") else None
    return _su_hint if call.has("-i", "-s") and not words and not call.has_input else None


_su_hint = "write the command itself behind it: `sudo -u user command`"


def _su(call: Call) -> str | None:
    return None if call.has("-c", "--command") or call.has_input else _su_hint


def _read(call: Call) -> str | None:
    if call.has_input or "while" in call.command.lead or call.command.level:
        return None
    return "ask in a manual step, or take the value from a variable"


def _git(call: Call) -> str | None:
    words = call.plain("-C -c")
    verb = words[0] if words else ""
    if verb in {"rebase", "add", "checkout", "stash", "clean", "commit"} and call.has(
        "-i", "--interactive", "-p", "--patch"
    ):
        return None if verb == "clean" and call.has("-f") else _MANUAL
    if verb == "commit" and not call.has("-m", "-F", "-C", "--message", "--file", "--no-edit"):
        return "give the message with `-m`"
    return None


def _rails(call: Call) -> str | None:
    return (
        _STATEMENT if call.plain()[:1] in (("c",), ("console",), ("dbconsole",), ("db",)) else None
    )


def _python(call: Call) -> str | None:
    for index, arg in enumerate(call.args):
        if arg.endswith("manage.py"):
            return _manage(call, call.args[index + 1 : index + 2])
    if call.args or call.has_input:
        return None
    return _STATEMENT


def _manage(call: Call, word: tuple[str, ...]) -> str | None:
    if word == ("createsuperuser",) and not call.has("--noinput", "--no-input"):
        return "add `--noinput` and hand the values over in variables"
    if (
        word in (("shell",), ("dbshell",))
        and not call.has_input
        and not call.has("-c", "--command")
    ):
        return _STATEMENT
    return None


def _login(call: Call) -> str | None:
    words = call.plain()
    if "login" not in words[:2]:
        return None
    given = call.has(
        "--password-stdin", "-p", "--password", "--with-token", "--token", "--cred-file"
    )
    return None if given or call.has_input else _LOGIN


def _docker_login(call: Call) -> str | None:
    return _login(call) if call.plain()[:1] == ("login",) else _terminal(call)


def _apt(call: Call) -> str | None:
    asks = {"install", "upgrade", "remove", "purge", "dist-upgrade", "full-upgrade", "autoremove"}
    agreed = call.has("-y", "--yes", "--assume-yes", "-s", "--dry-run", "-q") or call.has_input
    return _ANSWER + ": `-y`" if set(call.plain()[:1]) & asks and not agreed else None


def _heroku(call: Call) -> str | None:
    if call.args[:1] == ("pg:psql",) and not call.has("-c", "--command") and not call.has_input:
        return _STATEMENT
    return _LOGIN if call.args[:1] == ("login",) else None


def _crontab(call: Call) -> str | None:
    return _MANUAL if call.has("-e") else None


def _kubectl(call: Call) -> str | None:
    return _MANUAL if "edit" in call.plain("-n --namespace")[:1] else _terminal(call)


def _keygen(call: Call) -> str | None:
    looks = call.has("-l", "-R", "-F", "-y", "-e", "-H", "-N")
    return None if looks or call.has_input else "add `-N ''` and `-f file`"


def _aws(call: Call) -> str | None:
    return _LOGIN if call.args == ("configure",) or call.args[:2] == ("configure", "sso") else None


def _artisan(call: Call) -> str | None:
    if "tinker" in call.args[:2]:
        return None if call.has("--execute") else _STATEMENT
    return _python(call) if call.name == "php" else None


_RULES: Mapping[str, Callable[[Call], str | None]] = {
    **dict.fromkeys(
        ("nano", "vi", "vim", "nvim", "emacs", "pico", "joe", "micro", "visudo", "vipw"),
        _always(_MANUAL),
    ),
    **dict.fromkeys(("less", "more", "most"), _pager),
    "man": _pager,
    "ssh": _ssh,
    "sftp": _client("-b"),
    "telnet": lambda call: None if call.has_input else "use a `tcp` check",
    "psql": _client("-c", "-f", "-l", "--command", "--file", "--list", "-V"),
    **dict.fromkeys(("mysql", "mariadb"), _client("-e", "--execute", "-V")),
    **dict.fromkeys(
        ("redis-cli", "valkey-cli"),
        _client(
            *(
                "--scan",
                "--bigkeys",
                "--stat",
                "--latency",
                "--pipe",
                "--rdb",
                "--eval",
                "-v",
                "--memkeys",
            ),
            values="-h -p -a -n -u -s --user --pass --cert --key --cacert",
            most=0,
        ),
    ),
    **dict.fromkeys(("mongosh", "mongo"), _client("--eval", "-f", "--file", most=1)),
    "sqlite3": _client("-cmd", "-init", most=1),
    **dict.fromkeys(("python", "python3"), _python),
    **dict.fromkeys(("node", "irb", "ipython", "deno", "bun"), _python),
    **dict.fromkeys(("artisan", "php"), _artisan),
    "manage.py": lambda call: _manage(call, call.args[:1]),
    **dict.fromkeys(SHELLS, _shell),
    "sudo": _sudo,
    "su": _su,
    "read": _read,
    "git": _git,
    **dict.fromkeys(("rails", "bin/rails"), _rails),
    **dict.fromkeys(("docker", "podman"), _docker_login),
    **dict.fromkeys(("kubectl", "oc"), _kubectl),
    **dict.fromkeys(
        ("npm", "gh", "gcloud", "vercel", "supabase", "az", "fly", "flyctl", "railway", "wrangler"),
        _login,
    ),
    "heroku": _heroku,
    "aws": _aws,
    **dict.fromkeys(("apt", "apt-get"), _apt),
    **dict.fromkeys(("yum", "dnf"), _apt),
    "passwd": lambda call: None if call.has_input or call.has("-l", "-u", "-S", "-d") else _MANUAL,
    "crontab": _crontab,
    "ssh-keygen": _keygen,
    "mysql_secure_installation": _always(_MANUAL),
    "tmux": lambda call: (
        None
        if call.has("-d") or call.plain()[:1] not in ((), ("attach",), ("a",), ("new",))
        else _MANUAL
    ),
    "screen": lambda call: None if call.has("-d", "-D", "-ls", "-X") else _MANUAL,
    "select": _always("ask in a manual step"),
}
