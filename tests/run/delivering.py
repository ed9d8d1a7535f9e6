"""What the tests of deliveries share: the key of the first message, and a channel with a bug."""

from __future__ import annotations

from typing import ClassVar

from tests.support.telling import RUN

from gonogo.plan.notices import Notice, Receipt

KEY = f"{RUN}/1/ana/webhook"


class Broken:
    """A way with a bug."""

    kind: ClassVar[str] = "apprise"
    knows_copies: ClassVar[bool] = False

    def send(self, notice: Notice, *, key: str, is_copy: bool = False) -> Receipt:
        raise RuntimeError("https://secret.example.org")
