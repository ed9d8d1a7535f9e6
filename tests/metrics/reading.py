"""Opens a source as a watch does and reads it at given times."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from tests.metrics.logs import START, a_source
from tests.support.kinds import a_context

from gonogo.metrics import open_source
from gonogo.plan.samples import Batch, Reader


class Source:
    """A source under test; `read(60)` reads it a minute after the start of the watch."""

    def __init__(
        self,
        folder: Path,
        targets: Mapping[str, str],
        variables: Mapping[str, str] | None = None,
        **fields: object,
    ) -> None:
        self.source = a_source(fields, tuple(targets))
        self.context = a_context(folder, targets=targets, variables=variables)
        self.position: object = None
        self.reader: Reader = open_source(self.source, self.context)

    def read(self, after_s: float) -> Batch:
        batch = self.reader.read(START + timedelta(seconds=after_s))
        self.position = json.loads(json.dumps(batch.position))
        return batch

    def crash(self) -> None:
        self.reader.close()
        self.reader = open_source(self.source, self.context, self.position)

    def __enter__(self) -> Source:
        return self

    def __exit__(self, *_: object) -> None:
        self.reader.close()
