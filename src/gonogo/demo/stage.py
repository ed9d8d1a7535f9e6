"""What a show of the demo stands on: servers of its own, and a service that is taken down."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from gonogo.demo.workspace import Workspace
from gonogo.services import Postgres, Valkey
from gonogo.services.account import Account
from gonogo.services.workplace import PID, enter


def build(stack: ExitStack) -> tuple[Postgres, Valkey, Path]:
    """Start the servers and make a folder for the service; all of it ends with the stack."""
    postgres = stack.enter_context(Postgres.start())
    valkey = stack.enter_context(Valkey.start())
    own = enter("demo", Account(), None)
    stack.callback(own.leave)
    return postgres, valkey, own.path


def hold(stack: ExitStack, place: Workspace) -> None:
    """Take the service in that folder down when the stack is left."""
    # whoever sweeps up after a kill of ours finds the service by this name, and its worker ends
    # when its folder is gone
    (place.folder.parent / PID).symlink_to(place.folder / "run" / "service.pid")
    stack.callback(place.take_down)
