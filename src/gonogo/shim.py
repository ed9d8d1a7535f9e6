"""Keeps one command and its result safe while gonogo itself may die.

Started as `python -I -S shim.py FOLDER` in a session of its own, with the command's environment as
its own, a locked file as descriptor 0 and a pipe to gonogo as descriptors 1 and 2. It imports as
little as it can, since that is paid once per command. Why: docs/decisions/0003-command-shim.md.
"""

from __future__ import annotations

import os
import sys
import time
from select import POLLIN, poll

try:  # the public module costs as much as a third of Python's start
    import _signal as signal  # type: ignore[import-not-found,unused-ignore]
except ImportError:
    import signal

TYPE_CHECKING = False  # mypy takes it for the one in `typing`, which is slow to import
if TYPE_CHECKING:
    from typing import Any

    _Record = dict[str, Any]
_asked: list[int] = []  # the SIGTERMs that nobody has looked at yet
COMMAND, PID, EXIT, END = "command.json", "pid.json", "exit.json", "end.json"
STDIN, LOCK, STREAMS, TAIL = "stdin", "lock", ("stdout", "stderr"), ".tail"
DRAIN_S = 0.5  # seconds; how long output may still come after the command has ended
CHUNK = 65536
_TICK_S, _LONGEST_MS = 0.05, 3_600_000.0
_ROOM = 1024  # bytes set aside for the exit record before the command starts
_NOT_FOUND = 2  # ENOENT; with ENOTDIR and EACCES the next folder of PATH may still have it
_TRY_NEXT = (_NOT_FOUND, 20, 13)


def start_time(pid: int) -> str | None:
    """Return what tells this process from a later one with the same number; None if it is gone.

    Where there is no /proc every process counts as gone, so that nothing is ever taken for known.
    """
    fields = _stat(str(pid))
    return fields[19] if fields and fields[0] not in "ZX" else None


def _stat(pid: str) -> list[str]:
    try:
        with open(f"/proc/{pid}/stat", "rb", buffering=0) as file:  # noqa: PTH123
            text = file.read(4096)
    except OSError:  # gone before or while we looked
        return []
    return text.decode(errors="replace").rpartition(")")[2].split()


def boot_id() -> str:
    """Return a text that changes when the machine starts anew; empty where there is none."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:  # noqa: PTH123
            return file.read().strip()
    except OSError:
        return ""


def members(group: int) -> list[int]:
    """Return the live processes of a process group; where there is no /proc, its leader."""
    try:
        pids = [name for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208
    except OSError:
        return [group]
    fields = ((int(pid), _stat(pid)) for pid in pids)
    return [pid for pid, f in fields if f and f[2] == str(group) and f[0] not in "ZX"]


def put(folder: str, name: str, data: bytes, *, sync: bool) -> None:
    """Write a file so that a reader sees all or nothing of it; `sync`: also after a power cut."""
    draft = f"{folder}/{name}.tmp"
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:  # noqa: PTH123
        file.write(data)
        file.truncate()  # the draft may be a longer one from before
        if sync:
            os.fsync(file.fileno())
    os.rename(draft, f"{folder}/{name}")  # noqa: PTH104
    if sync:
        sync_folder(folder)


def sync_folder(folder: str) -> None:
    """Make the names in a folder survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


class _Json:
    """What CPython's JSON scanner asks for; `import json` would double the start time."""

    strict = True
    object_hook = object_pairs_hook = array_hook = None
    parse_float, parse_int, parse_constant = float, int, float


def read_json(text: str) -> _Record:
    """Read a JSON object that was written without white space around it."""
    try:
        from _json import make_scanner

        data = make_scanner(_Json)(text, 0)[0]  # type: ignore[arg-type]
    except (ImportError, AttributeError, TypeError):
        import json

        data = json.loads(text)
    except StopIteration:
        data = None
    if not isinstance(data, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - the content is wrong, not a type
    return data


class _Stream:
    """One output pipe: its head goes to a file at once, its tail is kept in memory."""

    def __init__(self, folder: str, name: str, limit: int) -> None:
        self.path = f"{folder}/{name}"
        self.read_end, self.write_end = os.pipe()
        self.file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        self.room = limit - limit // 4
        self.tail_limit = limit // 4
        self.tail = bytearray()
        self.total = self.kept = self.errno = 0

    def take(self, data: bytes) -> bool:
        """Keep what has arrived; say whether the file has grown."""
        self.total += len(data)
        head = data[: self.room]
        self.room -= len(head)
        if len(data) > len(head):
            self.tail += data[len(head) :]
            if len(self.tail) > 2 * self.tail_limit + CHUNK:
                del self.tail[: -self.tail_limit or None]
        return self._keep(head)

    def finish(self) -> str:
        """Store the tail and return what the exit record says about this stream."""
        tail = self.tail[-self.tail_limit :] if self.tail_limit else b""
        if self.kept + len(tail) == self.total:
            self._keep(tail)
        elif tail and not self.errno:
            os.close(self.file)
            self.file = os.open(self.path + TAIL, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            self._keep(tail)
        os.close(self.file)
        dropped = self.total - self.kept
        return f'{{"bytes":{self.total},"dropped":{dropped},"errno":{self.errno}}}'

    def _keep(self, data: bytes | bytearray) -> bool:
        """Write to the file; a full disk is noted and must not stop the command."""
        try:
            while data and not self.errno:
                written = os.write(self.file, data)
                self.kept += written
                data = data[written:]
        except OSError as error:
            self.errno = error.errno or -1
        return not self.errno


class _Guard:
    """The command's process group: whether it still runs, when it must end, and what ended it."""

    def __init__(self, pid: int, spec: _Record, folder: str) -> None:
        self.pid = pid
        self.folder = folder
        self.grace = spec["grace_s"]
        timeout = spec["timeout_s"]
        self.deadline = None if timeout is None else time.monotonic() + timeout
        self.ended_by = "exit"
        self.exited_at: float | None = None
        self.kill_at: float | None = None
        self.killed = False

    def look(self, now: float) -> None:
        """Notice that the command has ended, and do what is due."""
        # WNOWAIT: as long as the dead leader is not reaped its number, which is also that of the
        # group, cannot be given to anybody else.
        peek = os.WEXITED | os.WNOHANG | os.WNOWAIT
        if self.exited_at is None and os.waitid(os.P_PID, self.pid, peek) is not None:
            self.exited_at = now
        if self.kill_at is None and self.exited_at is None:
            if self.deadline is not None and now >= self.deadline:
                self._end("deadline", now + self.grace)
            elif _asked:
                _asked.clear()
                self._end_if_wished(now)
        elif self.kill_at is not None and now >= self.kill_at and not self.killed:
            self.killed = True
            self._send(signal.SIGKILL)

    def is_over(self, now: float, *, silent: bool) -> bool:
        """Say whether nothing more is to be waited for."""
        if self.exited_at is None:
            return False
        if self.kill_at is not None and now < self.kill_at + DRAIN_S and members(self.pid):
            return False
        return silent or now >= self.exited_at + DRAIN_S

    def patience(self, now: float) -> float | None:
        """Return the milliseconds until something is due; None if only a signal can tell."""
        due: float | None = self.deadline
        if self.kill_at is not None:
            due = now + _TICK_S
        elif self.exited_at is not None:
            due = self.exited_at + DRAIN_S
        return None if due is None else min(max(0.0, due - now) * 1000 + 1, _LONGEST_MS)

    def _end_if_wished(self, now: float) -> None:
        """Obey a recorded wish to end; a SIGTERM without one is not from gonogo."""
        try:
            with open(f"{self.folder}/{END}", encoding="utf-8") as file:  # noqa: PTH123
                grace = read_json(file.read())["grace_s"]
        except OSError:
            return
        except ValueError:  # written on a full disk: the wish counts, its grace is lost
            grace = self.grace
        self._end("abort", now + grace)

    def _end(self, why: str, kill_at: float) -> None:
        self.ended_by = why
        self.kill_at = kill_at
        self._send(signal.SIGTERM)
        self._send(signal.SIGCONT)  # a stopped process would never see the first one

    def _send(self, number: int) -> None:
        try:
            os.killpg(self.pid, number)
        except (ProcessLookupError, PermissionError):
            return  # nobody is left, or it has become another user


def _become(spec: _Record, folder: str, outputs: list[int], go: int) -> str:
    """Turn this forked process into the command; return why that was impossible."""
    stage = "folder"
    try:
        os.setpgid(0, 0)
        stdin = os.open(f"{folder}/{STDIN}" if spec["stdin"] else "/dev/null", os.O_RDONLY)
        if os.read(go, 1) != b"g":  # the shim died, or could not record us: never begin
            os._exit(125)
        os.dup2(stdin, 0)
        os.dup2(outputs[0], 1)
        os.dup2(outputs[1], 2)
        for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them; a command must not
            signal.signal(number, signal.SIG_DFL)
        stage = "cwd"
        os.chdir(spec["cwd"])
        stage = "exec"
        environment = {k: v for k, v in os.environ.items() if k not in spec["unset"]}
        _execute(spec["argv"], environment)
    except (OSError, ValueError) as error:
        return f'{{"stage":"{stage}","errno":{getattr(error, "errno", None) or -1}}}'
    return ""  # not reached: a process that has become the command does not return


def _execute(argv: list[str], environment: dict[str, str]) -> None:
    """Look the program up in PATH as a shell does, and become it."""
    places = environment.get("PATH", os.defpath).split(":")
    paths = [argv[0]] if "/" in argv[0] else [f"{place or '.'}/{argv[0]}" for place in places]
    worst: OSError | None = None
    for path in paths:
        try:
            os.execve(path, argv, environment)  # noqa: S606
        except OSError as error:
            if worst is None or worst.errno == _NOT_FOUND:
                worst = error
            if error.errno not in _TRY_NEXT:
                break
    raise worst or FileNotFoundError(_NOT_FOUND, "not found")


def _start(spec: _Record, folder: str, streams: list[_Stream]) -> tuple[int, str]:
    """Start the command, recorded before its first instruction; return its pid and the problem."""
    go, say_go = os.pipe()
    trouble, tell_trouble = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(say_go)
            why = _become(spec, folder, [s.write_end for s in streams], go)
            os.write(tell_trouble, why.encode())
        finally:
            os._exit(127)
    for descriptor in (go, tell_trouble, *(s.write_end for s in streams)):
        os.close(descriptor)
    record = (
        f'{{"format":1,"shim":{os.getpid()},"child":{pid},"child_start":"{start_time(pid)}",'
        f'"boot_id":"{spec["boot_id"]}","started_at":{time.time()}}}'
    )
    put(folder, PID, record.encode(), sync=False)  # after a power cut the boot id tells enough
    os.write(say_go, b"g")
    os.close(say_go)
    problem = os.read(trouble, 200).decode()  # ends when the command has been executed
    os.close(trouble)
    return pid, problem


class _Pump:
    """Carries what arrives on the pipes to where it is kept, and wakes gonogo."""

    def __init__(self, streams: list[_Stream], wake: int) -> None:
        self.streams = {s.read_end: s for s in streams}
        self.wake = wake
        self.deaf = False
        self.poller = poll()
        for descriptor in (wake, *self.streams):
            self.poller.register(descriptor, POLLIN)

    def turn(self, patience_ms: float | None) -> bool:
        """Wait for output or a signal and take it; say whether there was any."""
        grown = False
        ready = self.poller.poll(patience_ms)
        for descriptor, _ in ready:
            if descriptor == self.wake:
                os.read(descriptor, CHUNK)
                continue
            data = os.read(descriptor, CHUNK)
            if data and not self.deaf:
                grown |= self.streams[descriptor].take(data)
            elif not data:
                self.poller.unregister(descriptor)
                del self.streams[descriptor]
        try:
            return bool(ready) and (not grown or os.write(1, b".") > 0)
        except OSError:
            return True  # gonogo is gone, or already behind

    def until_over(self, guard: _Guard) -> None:
        """Pump until the command is over."""
        now = time.monotonic()
        guard.look(now)
        while not guard.is_over(now, silent=not self.streams):
            self.turn(guard.patience(now))
            now = time.monotonic()
            guard.look(now)
        for _ in range(64):  # the rest of what was written, but not all of an endless daemon's
            if not self.turn(0):
                break

    def keep_pipes_alive(self) -> None:
        """Read on for a daemon that still writes, so that it neither blocks nor dies of SIGPIPE."""
        if not self.streams or os.fork() != 0:
            return
        for standard in (0, 1, 2):
            os.dup2(os.open("/dev/null", os.O_RDWR), standard)
        os.chdir("/")
        self.deaf = True
        while self.streams:
            self.turn(None)


def _listen_to_signals() -> int:
    """Let SIGCHLD and SIGTERM wake the pump; return the descriptor to wait on."""
    wake, ring = os.pipe()
    os.set_blocking(wake, False)
    os.set_blocking(ring, False)
    signal.set_wakeup_fd(ring, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGTERM, lambda number, _: _asked.append(number))
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    return wake


def main(folder: str) -> None:
    """Carry out the command that `folder` describes and leave its exit record there."""
    os.set_blocking(1, False)
    with open(f"{folder}/{COMMAND}", encoding="utf-8") as file:  # noqa: PTH123
        spec = read_json(file.read())
    wake = _listen_to_signals()
    # The room for the exit record is taken now: a disk that fills up later must not cost us it.
    put(folder, EXIT + ".tmp", b" " * _ROOM, sync=False)
    streams = [_Stream(folder, name, spec["output_limit"]) for name in STREAMS]
    wall, begin = time.time(), time.monotonic()
    pid, problem = _start(spec, folder, streams)
    guard = _Guard(pid, spec, folder)
    pump = _Pump(streams, wake)
    pump.until_over(guard)
    duration = time.monotonic() - begin
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    outputs = ",".join(f'"{n}":{s.finish()}' for n, s in zip(STREAMS, streams, strict=True))
    record = (
        f'{{"format":1,"exit_code":{status if status >= 0 else "null"},'
        f'"signal":{-status if status < 0 else "null"},"ended_by":"{guard.ended_by}",'
        f'"started_at":{wall},"ended_at":{time.time()},"duration_s":{duration},'
        f'{outputs},"problem":{problem or "null"}}}'
    )
    put(folder, EXIT, record.encode(), sync=spec["durable"])
    pump.keep_pipes_alive()
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1])
