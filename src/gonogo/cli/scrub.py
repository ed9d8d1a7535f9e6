"""Takes secrets out of what commands wrote, as soon as the step that ran them is judged.

A command writes what it likes into the files from which a resumed run would read its output. While
it runs, only its owner may read them; once its finding is journaled nobody needs the words as they
were, so they are kept redacted.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from gonogo.run.scene import Scene

_OUTPUTS = ("stdout", "stderr")


def scrub(scene: Scene, item: str) -> None:
    """Redact the kept output of every attempt of a finished step; what cannot be is removed."""
    for name in (item, f"{item}~unless"):
        for attempt in scene.attempt_folder(name, 1).parent.glob("*"):
            for output in _OUTPUTS:
                _redact(scene, attempt / output)


def _redact(scene: Scene, file: Path) -> None:
    try:
        text = file.read_bytes().decode("utf-8", "surrogateescape")
        clean = scene.redact(text)
        if clean != text:
            draft = file.with_name(f"{file.name}.clean")
            draft.touch(mode=0o600)
            draft.write_bytes(clean.encode("utf-8", "surrogateescape"))
            draft.replace(file)
    except FileNotFoundError:
        return
    except OSError:  # a full disk: better no words than these
        with contextlib.suppress(OSError):
            file.unlink()
