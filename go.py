#!/usr/bin/env python3
"""Sets up everything that this checkout needs and runs it, with nothing but Python installed.

python3 go.py demo [...]     a real release that goes wrong and is rolled back
python3 go.py test [...]     the tests; what follows goes to pytest; --nightly: the long ones too
python3 go.py check [--fix]  formatting, lint, types, import contracts
python3 go.py gonogo [...]   the program itself, from this checkout
python3 go.py bench [PART]   the benchmarks, beside the programs they are compared with
python3 go.py env [SET]      only set up: run, demo, dev (the default), or browser on top

The packages go into .venv, pinned by hash in requirements/. After the first start no network is
needed. Why it is done like this: docs/decisions/0002-real-services-without-root.md
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

MYPY = False
if MYPY:  # what only a type checker reads; Python 3.8 must come as far as our message
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "gonogo-installed.json"
SETS = ("run", "demo", "dev")  # each holds all pins of the one before
BROWSER = "browser"  # comes on top of whichever set is there
OLDEST, NEWEST = (3, 11), (3, 14)
PIP_FOR_OTHERS = (22, 3)  # since then pip installs into another environment
MIXING = ("PYTHONHOME", "__PYVENV_LAUNCHER__")  # variables that break any environment
MISLEADING = ("PYTHONPATH", "PIP_USER", "PIP_TARGET", "PIP_PREFIX")  # and any installation

# Run by the environment's Python: exits 0 if every pin of a requirements file is installed.
VERIFY = r"""
import importlib.metadata as metadata, re, sys
try:
    from packaging.markers import Marker
except ImportError:
    from pip._vendor.packaging.markers import Marker
for line in open(sys.argv[1], encoding="utf-8"):
    pin = re.match(r"([\w.-]+)(?:\[.*?\])?==([^\s;]+)\s*(?:;\s*([^\\]+))?", line)
    if pin and (not pin[3] or Marker(pin[3].strip()).evaluate()):
        if metadata.version(pin[1]) != pin[2]:
            sys.exit(1)
"""


class CannotStartError(Exception):
    """Something that a person has to do first, said in one line."""


def main(words: list[str]) -> int:
    """Set up what the command needs and run it; return its exit code."""
    commands = {
        "demo": demo,
        "test": test,
        "check": check,
        "gonogo": gonogo,
        "bench": bench,
        "env": env,
    }
    if not words or words[0] in ("-h", "--help", "help"):
        print((__doc__ or "").strip())
        return 0 if words else 2
    if words[0] not in commands:
        say(f"unknown command `{words[0]}`, expected one of: {', '.join(commands)}")
        return 2
    try:
        check_host()
        return commands[words[0]](words[1:])
    except CannotStartError as problem:
        say(str(problem))
        return 2
    except KeyboardInterrupt:
        return 130


def demo(words: list[str]) -> int:
    """Run the demo story."""
    set_up("demo")
    return become(["-m", "gonogo.demo", *words])


def test(words: list[str]) -> int:
    """Run the test suite; several tests at a time, unless the caller gives arguments of his own."""
    set_up("dev")
    if not [word for word in words if word != "--nightly"]:
        words = ["-n", str(workers()), "--dist", "loadgroup", *words]
    os.chdir(str(ROOT))
    return become(["-m", "pytest", *words])


def check(words: list[str]) -> int:
    """Run all checks that need no test, each to its end, so that all mistakes are seen at once."""
    if words not in ([], ["--fix"]):
        said = " ".join(words)
        raise CannotStartError(f"unknown argument of check: `{said}`, expected `--fix` or nothing")
    set_up("dev")
    contracts = "import sys; from importlinter.cli import lint_imports_command as c; sys.exit(c())"
    parts = {
        "format": ["-m", "ruff", "format", *([] if words else ["--check"]), "."],
        "lint": ["-m", "ruff", "check", *words, "."],
        "types": ["-m", "mypy"],
        "types of go.py": ["-m", "mypy", "--strict", "go.py"],
        "import contracts": ["-c", contracts],
    }
    failed = []
    for name, part in parts.items():
        print(f"== {name}", flush=True)
        if subprocess.call([str(PYTHON), *part], cwd=str(ROOT), env=clean()) != 0:
            failed.append(name)
    print(f"check failed: {', '.join(failed)}" if failed else "check: all good")
    return 1 if failed else 0


def gonogo(words: list[str]) -> int:
    """Run the program."""
    set_up("run")
    return become(["-m", "gonogo", *words])


def bench(words: list[str]) -> int:
    """Run the benchmarks in an environment of their own: their peers bring many packages."""
    global VENV, PYTHON, STAMP  # noqa: PLW0603 - the one command that lives elsewhere
    VENV = ROOT / ".venv-bench"
    PYTHON, STAMP = VENV / "bin" / "python", VENV / STAMP.name
    set_up("bench")
    os.chdir(str(ROOT))
    return become(["-m", "bench", *words])


def env(words: list[str]) -> int:
    """Set up and say so."""
    name = " ".join(words) or "dev"
    known = (*SETS, BROWSER)
    if name not in known:
        raise CannotStartError(f"unknown set `{name}`, expected one of: {', '.join(known)}")
    if name == BROWSER:
        set_up("run")
        add(BROWSER)
    else:
        set_up(name)
    print(f"{VENV} is ready ({name})")
    return 0


def check_host() -> None:
    """Refuse a Python or a system that the packages do not support."""
    if os.name != "posix":
        raise CannotStartError("gonogo runs on Linux and macOS; on Windows use it inside WSL")
    ours = sys.version_info[:2]
    if OLDEST <= ours <= NEWEST:
        return
    names = [f"python3.{minor}" for minor in range(NEWEST[1], OLDEST[1] - 1, -1)]
    better = [name for name in names if shutil.which(name) and succeeds([name, "-c", ""])]
    todo = f"run it with `{better[0]}`" if better else "install one of these"
    oldest, newest, here = (".".join(map(str, pair)) for pair in (OLDEST, NEWEST, ours))
    raise CannotStartError(f"needs Python {oldest} to {newest}, this is {here}; {todo}")


def workers() -> int:
    """Return how many tests run at a time; every worker has servers of its own."""
    if hasattr(os, "sched_getaffinity"):
        return min(max(2, len(os.sched_getaffinity(0))), 8)
    return min(max(2, os.cpu_count() or 2), 8)


def become(words: list[str]) -> int:
    """Replace this process by the environment's Python: signals and exit code are then its own."""
    sys.stdout.flush()
    os.execve(str(PYTHON), [str(PYTHON), *words], clean())


def set_up(name: str) -> None:
    """Make sure that .venv holds the pinned packages of a set and finds the project itself."""
    try:
        if not is_installed(name):
            with one_at_a_time():
                if not is_installed(name):  # the one we waited for may have done it
                    install(name)
        show_the_project()
    except OSError as error:
        raise CannotStartError(f"cannot set up `{VENV}`: {error}") from None


def is_installed(name: str) -> bool:
    """Tell from the stamp whether this set, or one that holds it, is what its file says today."""
    if not PYTHON.exists():
        return False
    try:
        stamp = json.loads(STAMP.read_text(encoding="utf-8"))
        holders = SETS[SETS.index(name) :] if name in SETS else (name,)
        return any(stamp.get(known) == digest(known) for known in holders)
    except (OSError, ValueError, AttributeError):
        return False


def install(name: str) -> None:
    """Install a set into .venv, which is made on first use, and stamp it."""
    make_venv()
    if not STAMP.exists() and succeeds([str(PYTHON), "-c", VERIFY, str(pins(name))]):
        write_stamp(name)  # made by other hands, and complete
        return
    say(f"setting up .venv from requirements/{name}.txt; later starts need no network")
    with contextlib.suppress(FileNotFoundError):
        STAMP.unlink()
    fetch(name)
    write_stamp(name)


def add(name: str) -> None:
    """Install a set beside the one that .venv has, unless all of it is there."""
    with one_at_a_time():
        if not succeeds([str(PYTHON), "-c", VERIFY, str(pins(name))]):
            say(f"adding requirements/{name}.txt to .venv")
            fetch(name)


def fetch(name: str) -> None:
    """Install the pins of a set, each with a hash, with the first installer that can."""
    arguments = ["-q", "--require-hashes", "--only-binary", ":all:", "-r", str(pins(name))]
    for installer in installers():
        if subprocess.call([*installer, *arguments], stdout=2, env=clean(installing=True)) == 0:
            return
        say(f"`{' '.join(installer[:4])} …` failed, see above")
    raise CannotStartError("the packages could not be installed; is an index within reach?")


def make_venv() -> None:
    """Make .venv unless there is one that works; only a broken environment is replaced."""
    supported = f"import sys; sys.exit(not {OLDEST} <= sys.version_info[:2] <= {NEWEST})"
    if PYTHON.exists() and succeeds([str(PYTHON), "-c", supported]):
        return
    if VENV.exists() and any(VENV.iterdir()) and not (VENV / "pyvenv.cfg").exists():
        raise CannotStartError(f"`{VENV}` is no Python environment; move it away")
    shutil.rmtree(str(VENV), ignore_errors=True)
    uv = find_uv()
    if uv and succeeds([uv, "venv", "-q", "--python", sys.executable, str(VENV)]):
        return
    pip = "ensurepip" if has("ensurepip") else "--without-pip"
    if not has("venv") or (pip == "--without-pip" and not has_pip_for_others()):
        raise CannotStartError(
            "no way to install packages: install `python3-venv` with your system's packages "
            "(Debian, Ubuntu), or install `uv`"
        )
    flags = [pip] if pip == "--without-pip" else []
    if subprocess.call([sys.executable, "-m", "venv", *flags, str(VENV)], stdout=2) != 0:
        raise CannotStartError("the environment could not be made; the lines above say why")


def installers() -> Iterator[list[str]]:
    """Yield the commands that can install into .venv here, best first."""
    uv = find_uv()
    if uv:
        yield [uv, "pip", "install", "--compile-bytecode", "--python", str(PYTHON)]
    inner = [str(PYTHON), "-m", "pip"]
    if not succeeds([*inner, "--version"]):
        succeeds([str(PYTHON), "-m", "ensurepip"])
    if succeeds([*inner, "--version"]):
        yield [*inner, "install"]
    elif has_pip_for_others():
        yield [sys.executable, "-m", "pip", "--python", str(PYTHON), "install"]


def find_uv() -> str | None:
    """Return a uv that runs: the one that $UV names, our own, or one on PATH."""
    candidates = (os.environ.get("UV"), str(ROOT / ".tools" / "uv"), shutil.which("uv"))
    return next((uv for uv in candidates if uv and succeeds([uv, "--version"])), None)


def has(module: str) -> bool:
    """Tell whether this Python has a module."""
    spec = importlib.util.find_spec(module)
    return spec is not None and spec.loader is not None  # an emptied folder is no module


def has_pip_for_others() -> bool:
    """Tell whether this Python's pip is new enough to install into .venv from outside."""
    if not has("pip"):
        return False
    release = importlib.metadata.version("pip").split(".")[:2]
    return tuple(int(number) for number in release if number.isdigit()) >= PIP_FOR_OTHERS


def show_the_project() -> None:
    """Put src on the environment's path, again where the checkout was moved.

    A .pth file needs neither pip nor a build back end nor a network, and unlike PYTHONPATH it is
    not handed on to the programs that a runbook starts.
    """
    line = f"{ROOT / 'src'}\n"
    for packages in VENV.glob("lib/python3*/site-packages"):
        path = packages / "gonogo-checkout.pth"
        if not path.exists() or path.read_text(encoding="utf-8") != line:
            path.write_text(line, encoding="utf-8")


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """Wait for another start that is setting up the same environment."""
    import fcntl

    lock = ROOT / ".tools" / "env.lock"
    lock.parent.mkdir(exist_ok=True)
    with lock.open("w", encoding="utf-8") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def clean(*, installing: bool = False) -> dict[str, str]:
    """Return our environment without what would mix another Python into .venv."""
    unwanted = MIXING + (MISLEADING if installing else ())
    kept = {name: value for name, value in os.environ.items() if name not in unwanted}
    if installing:  # uv: trust what the system trusts, and fetch no Python by itself
        kept.update(UV_SYSTEM_CERTS="1", UV_PYTHON_DOWNLOADS="never")
    return kept


def succeeds(command: Sequence[str]) -> bool:
    """Run a command without a word and tell whether it went well."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=clean(installing=True),
            check=False,
        )
    except OSError:
        return False
    return done.returncode == 0


def pins(name: str) -> Path:
    """Return the requirements file of a set."""
    return ROOT / "requirements" / f"{name}.txt"


def digest(name: str) -> str:
    """Return what stands in the stamp for a set."""
    return hashlib.sha256(pins(name).read_bytes()).hexdigest()


def write_stamp(name: str) -> None:
    """Remember what was installed."""
    STAMP.write_text(json.dumps({name: digest(name)}) + "\n", encoding="utf-8")


def say(text: str) -> None:
    """Tell the person who waits."""
    sys.stderr.write(f"go.py: {text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
