"""Where figures come from while a release is watched; one file or folder per source."""

from __future__ import annotations

from gonogo.plan.kinds import Context
from gonogo.plan.samples import Reader
from gonogo.plan.sources import (
    CommandSource,
    HostSource,
    HttpSource,
    LogSource,
    PrometheusSource,
    RedisSource,
    Source,
    SqlSource,
)


def open_source(source: Source, context: Context, position: object = None) -> Reader:
    """Open a source; with the position of its last batch it goes on behind that batch.

    Of the context, targets, variables, `cwd` and `redact` are used. The caller reads when the
    source is due (`every_s`), first at once, and stores the position together with the samples.

    Raises:
        WorkError: there is no such target, or a name is not bound.
    """
    match source:  # each is imported when it is used: a log needs no driver of a database
        case LogSource():
            from gonogo.metrics.log import LogReader

            return LogReader(source, context, position)
        case HttpSource():
            from gonogo.metrics.web.beat import BeatReader

            return BeatReader(source, context, position)
        case SqlSource():
            from gonogo.metrics.sql import SqlReader

            return SqlReader(source, context, position)
        case RedisSource():
            from gonogo.metrics.redis import RedisReader

            return RedisReader(source, context, position)
        case PrometheusSource():
            from gonogo.metrics.web.prometheus import PrometheusReader

            return PrometheusReader(source, context, position)
        case HostSource():
            from gonogo.metrics.host import HostReader

            return HostReader(source, context, position)
        case CommandSource():
            from gonogo.metrics.command import CommandReader

            return CommandReader(source, context, position)
        case _:
            raise AssertionError(f"`{source.kind}` is no source of ours")
