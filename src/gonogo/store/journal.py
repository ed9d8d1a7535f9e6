"""The journal in one SQLite file: append-only events and the inbox of people's answers.

The file is the durable engine's too (its tables carry other names). It is in WAL mode: an event is
committed without a flush, and the engine's checkpoint that follows flushes the log with everything
before it, so that a step costs one flush. An event written with `durable=True` flushes by itself;
the start of an action is one, since its effect must not outlive the knowledge that it began.
"""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from gonogo.clock import Clock, SystemClock, stamp
from gonogo.errors import JournalError
from gonogo.redaction import Redactor
from gonogo.run.journal import GENESIS, Answer, Event

VERSION = 1
"""The version of our tables, kept in `PRAGMA user_version`."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS gonogo_event (
    run TEXT NOT NULL, seq INTEGER NOT NULL, epoch INTEGER NOT NULL, at TEXT NOT NULL,
    who TEXT NOT NULL, kind TEXT NOT NULL, item TEXT NOT NULL, attempt INTEGER NOT NULL,
    body TEXT NOT NULL, hash TEXT NOT NULL, PRIMARY KEY (run, seq)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS gonogo_inbox (
    run TEXT NOT NULL, epoch INTEGER NOT NULL, item TEXT NOT NULL, answer TEXT NOT NULL,
    who TEXT NOT NULL, at TEXT NOT NULL, reason TEXT NOT NULL, link TEXT NOT NULL,
    expires TEXT NOT NULL, PRIMARY KEY (run, epoch, item)) WITHOUT ROWID;
"""
_COLUMNS = "seq, run, epoch, at, who, kind, item, attempt, body, hash"
_BUSY_S = 30.0
_GLANCE_S = 0.2
"""How long a start waits for the lock: somebody may only be looking whether it is held."""


def _keep_private(path: Path) -> None:
    """Make a new journal that no other user reads: SQLite would let all, as the umask says."""
    with suppress(OSError):  # SQLite says why it cannot be made
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o660))


class SqliteJournal:
    """Implements `run.journal.Journal`; safe to use from several threads of one process."""

    def __init__(
        self, path: Path, clock: Clock, *, create: bool = True, redact: Redactor | None = None
    ) -> None:
        """Open the file, make the tables, refuse a journal of a newer gonogo.

        `redact` is used on what people write into the inbox; events come redacted.

        Raises:
            JournalError: no such journal (with `create=False`), not a journal, or a newer one.
        """
        _refuse_unnameable(path)
        if not create and not path.exists():
            raise JournalError(
                f"there is no journal at `{path}`",
                hint="runs are kept in `.gonogo` of the folder where they were started; see --home",
            )
        self.path = path
        self._clock = clock
        self._redact = redact or Redactor()
        self._lock = threading.RLock()
        self._own: dict[str, _Own] = {}
        with self._translated():
            path.parent.mkdir(parents=True, exist_ok=True)
            _keep_private(path)
            self._db = sqlite3.connect(
                path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
            )
            try:
                self._prepare()
            except Exception:
                self._db.close()
                raise

    def _prepare(self) -> None:
        (found,) = self._db.execute("PRAGMA user_version").fetchone()
        if found > VERSION:
            raise JournalError(
                f"the journal `{self.path}` has version {found}, this gonogo reads {VERSION}",
                hint="use the newer gonogo that wrote it, or another folder with --home",
            )
        (mode,) = self._db.execute("PRAGMA journal_mode").fetchone()
        if mode != "wal":
            self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        if found < VERSION:
            self._db.executescript(_SCHEMA)
            self._db.execute(f"PRAGMA user_version={VERSION}")

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn what SQLite and the file system say into one clear error."""
        try:
            yield
        except sqlite3.Error as error:
            raise explained(error, self.path) from error
        except UnicodeDecodeError as error:  # what SQLite says of a damaged file may be no text
            raise damaged(self.path, "it holds text that is not UTF-8") from error
        except OSError as error:
            raise JournalError(
                f"the journal `{self.path}` cannot be used: {error.strerror or error}",
                hint="free space or rights, then `gonogo resume`; what was journaled is kept",
            ) from error

    def append(  # noqa: PLR0913 - all but three are keywords
        self,
        run: str,
        kind: str,
        item: str = "",
        *,
        body: Mapping[str, object] | None = None,
        who: str = "gonogo",
        attempt: int = 0,
        durable: bool = False,
    ) -> Event:
        """Write one event at the end of the run's chain; `durable` waits for the disk."""
        text = json.dumps(body or {}, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        facts = (_utf8(who), kind, _utf8(item), attempt, _utf8(text))
        with self._lock, self._translated():
            if durable:
                self._db.execute("PRAGMA synchronous=FULL")
            try:
                return self._chain(run, (stamp(self._clock.now()), *facts))
            finally:
                if durable:
                    self._db.execute("PRAGMA synchronous=NORMAL")

    def _chain(self, run: str, facts: tuple[str, str, str, str, int, str]) -> Event:
        at, who, kind, item, attempt, text = facts
        own = self._own.get(run)
        if own is None:
            own = self._own[run] = _Own(self._read(run))
        event = Event(own.seq + 1, run, 1, at, who, kind, item, attempt, json.loads(text), "")
        event = replace(event, hash=event.sealed(own.seal))
        self._db.execute(
            f"INSERT INTO gonogo_event ({_COLUMNS}) VALUES (?,?,?,?,?,?,?,?,?,?)",  # noqa: S608
            (event.seq, run, event.epoch, at, who, kind, item, attempt, text, event.hash),
        )
        own.add(event)
        return event

    def _read(self, run: str, after: int = 0) -> list[Event]:
        rows = self._db.execute(
            f"SELECT {_COLUMNS} FROM gonogo_event WHERE run=? AND seq>? ORDER BY seq",  # noqa: S608
            (run, after),
        )
        return [_event(row) for row in rows]

    def events(self, run: str, *, after: int = 0) -> tuple[Event, ...]:
        """Return the events of a run with `seq` > `after`, in order."""
        with self._lock, self._translated():
            return tuple(self._read(run, after))

    def of_item(self, run: str, item: str) -> tuple[Event, ...]:
        """Return the events of one item of a run, in order."""
        with self._lock, self._translated():
            own = self._own.get(run)
            if own is None:
                return tuple(event for event in self._read(run) if event.item == item)
            return tuple(own.of_item.get(item, ()))

    def runs(self) -> tuple[str, ...]:
        """Return the ids of all runs, oldest first."""
        with self._lock, self._translated():
            rows = self._db.execute(  # a run whose first event was taken out is still one
                "SELECT run FROM gonogo_event WHERE seq>0 GROUP BY run ORDER BY MIN(at), run"
            ).fetchall()
        return tuple(_text(row[0]) for row in rows)

    def put(self, answer: Answer) -> bool:
        """Keep an answer; False when that question has one already: the first wins."""
        with self._lock, self._translated():
            self._db.execute("PRAGMA synchronous=FULL")
            try:
                cursor = self._db.execute(
                    "INSERT OR IGNORE INTO gonogo_inbox"
                    " (run, epoch, item, answer, who, at, reason, link, expires)"
                    " VALUES (?,?,?,?,?,?,?,?,?)",
                    (
                        answer.run,
                        answer.epoch,
                        answer.item,
                        answer.answer,
                        _utf8(answer.who),
                        answer.at,
                        _utf8(self._redact(answer.reason)),
                        _utf8(self._redact(answer.link)),
                        answer.expires,
                    ),
                )
            finally:
                self._db.execute("PRAGMA synchronous=NORMAL")
        return cursor.rowcount == 1

    def answer(self, run: str, item: str) -> Answer | None:
        """Return the answer to a question, if there is one."""
        with self._lock, self._translated():
            row = self._db.execute(
                "SELECT run, epoch, item, answer, who, at, reason, link, expires"
                " FROM gonogo_inbox WHERE run=? AND item=? ORDER BY epoch DESC LIMIT 1",
                (run, item),
            ).fetchone()
        if row is None:
            return None
        name, epoch, *words = row
        return Answer(_text(name), _whole(epoch), *map(_text, words))

    def withdraw(self, run: str, item: str) -> None:
        """Take an answer back that did not fit its question, so that it can be asked again."""
        with self._lock, self._translated():
            self._db.execute("DELETE FROM gonogo_inbox WHERE run=? AND item=?", (run, item))

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._db.close()


class _Own:
    """What each item of a run has had, for a run that this process writes: no step reads the file.

    Nobody else writes its events: who carries a run holds the lock (`Served`). An event is added
    once it is in the file. What goes into evidence is read from the file itself.
    """

    __slots__ = ("of_item", "seal", "seq")

    def __init__(self, events: Iterable[Event]) -> None:
        self.of_item: dict[str, list[Event]] = {}
        self.seq, self.seal = 0, GENESIS  # of the last event
        for event in events:
            self.add(event)

    def add(self, event: Event) -> None:
        self.seq, self.seal = event.seq, event.hash
        self.of_item.setdefault(event.item, []).append(event)


class Served:
    """A lock that only one process holds at a time; the kernel drops it when the process dies."""

    def __init__(self, path: Path) -> None:
        """Take the lock.

        Raises:
            JournalError: another process serves this journal; the message names its pid.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("a+", encoding="utf-8", errors="replace")
        except OSError as error:
            raise JournalError(
                f"the lock `{path}` cannot be taken: {error.strerror or error}",
                hint="see that the folder can be written, or use another one with --home",
            ) from error
        if not self._taken():
            self._file.seek(0)
            pid = self._file.read().strip() or "unknown"
            self._file.close()
            raise JournalError(
                f"a release is already being run from this folder by process {pid}",
                hint="wait for it, stop it with Ctrl-C there, or use another folder with --home",
            )
        self._file.seek(0)
        self._file.truncate()
        self._file.write(str(os.getpid()))
        self._file.flush()

    def _taken(self) -> bool:
        clock = SystemClock()
        until = clock.monotonic() + _GLANCE_S
        while True:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                if clock.monotonic() >= until:
                    return False
                clock.wait(0.01)
            else:
                return True

    def release(self) -> None:
        """Give the lock back."""
        self._file.close()


def is_served(path: Path) -> bool:
    """Say whether some process holds the lock at `path` now."""
    if not path.exists():
        return False
    with path.open(encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


def _event(row: Sequence[object]) -> Event:
    """Return an event as it stands in the file; a damaged one is there, but seals no more."""
    run, at, who, kind, item, seal = (_text(row[place]) for place in (1, 3, 4, 5, 6, 9))
    seq, epoch, attempt = (_whole(row[place]) for place in (0, 2, 7))
    return Event(seq, run, epoch, at, who, kind, item, attempt, _body(row[8]), seal)


def _body(kept: object) -> Mapping[str, object]:
    """Return the body of an event; what we would never have written is not handed on."""
    text = _text(kept)
    try:
        body = json.loads(text, parse_constant=_refused)
        if isinstance(body, dict) and ("\\u" not in text or _holds(body)):
            return body
    except (ValueError, RecursionError):
        pass
    return {"unreadable": len(text)}


def _refused(word: str) -> NoReturn:
    raise ValueError(f"`{word}` is no number in JSON")


def _holds(body: Mapping[str, object]) -> bool:
    """Say whether a body is made of whole characters; raises ValueError where it is not."""
    return bool(json.dumps(body, ensure_ascii=False).encode())


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _whole(value: object) -> int:
    return value if isinstance(value, int) else -1


def _utf8(text: str) -> str:
    """Return a text that a file can hold: output, arguments and names of files may be anything."""
    return text.encode("utf-8", "replace").decode()


def _refuse_unnameable(path: Path) -> None:
    """Raise JournalError for a name that is no text: the durable engine takes it in an address."""
    if _utf8(str(path)) != str(path):
        raise JournalError(
            f"the folder of the journal `{_utf8(str(path))}` has a name that is not UTF-8",
            hint="name another folder with --home",
        )


def damaged(path: Path, words: str) -> JournalError:
    """Say that the file holds what gonogo has not written."""
    return JournalError(
        f"`{path}` is not a journal or is damaged: {words}",
        hint="restore the file from a backup, or use another folder with --home",
    )


def explained(error: sqlite3.Error, path: Path) -> JournalError:
    """Say in the user's words what the database said about the file."""
    words = str(error)
    if "full" in words:
        return JournalError(
            f"the disk is full: the journal `{path}` cannot be written",
            hint="free space, then `gonogo resume`; nothing that was journaled is lost",
        )
    if "disk I/O" in words:  # SQLite says no more of a quota, a limit on file sizes, a bad disk
        return JournalError(
            f"the journal `{path}` cannot be written: {words}",
            hint="see whether a quota, `ulimit -f` or the disk itself stops it, then "
            "`gonogo resume`; nothing that was journaled is lost",
        )
    if "not a database" in words or "malformed" in words:
        return damaged(path, words)
    if "Could not decode" in words:  # what follows is the text itself
        return damaged(path, "it holds text that is not UTF-8")
    return JournalError(
        f"the journal `{path}` cannot be used: {words}",
        hint="see that the file and its folder can be written, then `gonogo resume`",
    )
