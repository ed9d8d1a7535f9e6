"""Where the figures of a watch come from: one value per kind of source, its fields being its keys.

`gonogo.plan.sources_read` turns an entry under `metrics:` into one of these, or into diagnostics.
"""

# ruff: noqa: RUF009 - `says` returns a dataclass field

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from gonogo.plan.said import says
from gonogo.plan.samples import Yields
from gonogo.plan.where import Filter

OWN_AGENT = "gonogo"
"""How gonogo calls itself to web servers: alone, or with `/` and a version behind it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What every source may say."""

    kind: ClassVar[str]
    name: str = field(metadata={"key": False})  # of the metric
    fraction: bool = field(default=False, metadata={"key": False})  # values are 0 to 1, given in %
    unit: str = says(
        "the unit of the values; `fraction`: they are between 0 and 1 and become percent"
    )
    every_s: float = says("how often it is read", default=30.0)
    timeout_s: float = says("how long one reading may take", default=10.0)
    minimum_samples: int | None = says(
        "below this many samples a bucket says nothing; without it, it follows from the limit",
        default=None,
    )

    @property
    def yields(self) -> Yields:
        """Return what the samples are."""
        return Yields.SAMPLES

    @property
    def stat_given(self) -> str:
        """Return the statistic that the source has worked out itself, or nothing."""
        return ""

    @property
    def lag_s(self) -> float:
        """Return how long after its own time a sample may come when all is well.

        A reading counts for the moment at which it began, and a bucket is not closed while one is
        under way: what is asked once and answered at once has no lag.
        """
        return 0.0

    def describe(self) -> str:
        """Return one short line for plans and reports."""
        raise NotImplementedError


class Begin(StrEnum):
    """Where a log is read from when a watch begins."""

    END = "end"  # what is written from now on
    BEGINNING = "beginning"  # also what is already there


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSource(Source):
    """A log that is being written: one value per line, or a share or number of lines."""

    kind: ClassVar[str] = "log"

    every_s: float = says("how often it is read", default=5.0)
    log: str = says("the file, from the folder of the runbook")
    format: str = says(
        "`json`, `common`, `combined`, `nginx`, or the text of an nginx `log_format`",
        default="json",
    )
    pattern: str = says("instead of a format: a regular expression with named groups")
    value: str = says("the field with the value")
    ratio: Filter | None = says("the share of lines for which this is true, in %", default=None)
    count: bool = says("the number of lines", default=False)
    where: Filter | None = says("only lines for which this is true", default=None)
    exclude: tuple[Filter, ...] = says("not the lines for which this is true", default=())
    own_traffic: bool = says("keep the lines of gonogo's own requests", default=False)
    time: str = says("the field with the time; without it, the usual names are tried")
    begin: Begin = says("`end`, or `beginning`: also what is already there", default=Begin.END)

    @property
    def yields(self) -> Yields:
        """Return what the samples are."""
        if self.ratio is not None:
            return Yields.SHARE
        return Yields.SAMPLES if self.value else Yields.AMOUNT

    @property
    def lag_s(self) -> float:
        """Return how long after its own time a sample may come when all is well."""
        return self.every_s + 1

    def fields(self) -> tuple[str, ...]:
        """Return the fields that the author names, each once."""
        filters = [f for f in (self.ratio, self.where, *self.exclude) if f is not None]
        named = [self.value, self.time, *(name for f in filters for name in f.fields())]
        return tuple(dict.fromkeys(name for name in named if name))

    def describe(self) -> str:
        """Return the file and what is taken from it."""
        what = f"share of {self.ratio.text}" if self.ratio else self.value or "number of lines"
        where = f" where {self.where.text}" if self.where else ""
        return f"{what}{where} in {self.log}"


class Beat(StrEnum):
    """What is measured of a request."""

    LATENCY = "latency"  # from the start to the last byte
    FAILURES = "failures"  # the share of requests without success
    AVAILABILITY = "availability"  # the share of requests with success


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSource(Source):
    """A request of our own, sent on a beat."""

    kind: ClassVar[str] = "http"

    every_s: float = says("how often a request is sent", default=10.0)
    http: str = says("the address: `{{app}}/health`")
    value: Beat = says("`latency` in ms, `failures` or `availability` in %", default=Beat.LATENCY)
    success: Filter | None = says(
        "what counts as a success; without it, a status from 200 to 399", default=None
    )
    headers: tuple[tuple[str, str], ...] = says("headers to send", default=())
    follow: bool = says("follow redirects, ten at most", default=False)
    insecure: bool = says("accept any certificate", default=False)

    @property
    def yields(self) -> Yields:
        """Return what the samples are."""
        return Yields.SAMPLES if self.value is Beat.LATENCY else Yields.SHARE

    @property
    def lag_s(self) -> float:
        """Return how long an answer may take: it counts for the moment of its request."""
        return self.timeout_s

    def describe(self) -> str:
        """Return the address and what is measured."""
        return f"{self.value} of GET {self.http} every {self.every_s:g} s"


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlSource(Source):
    """Figures in a PostgreSQL database: a gauge, a counter, a share, or a table of buckets."""

    kind: ClassVar[str] = "sql"

    sql: str = says("the target: a PostgreSQL database")
    query: str = says("one statement that only looks and gives one row")
    rows: str = says("instead of `query`: one that gives a row per bucket, each taken once")
    value: str = says("the column with the value; not needed when there is only one")
    hits: str = says("the column that is divided by `total`, or by `hits` and `misses` together")
    total: str = says("the column with the total")
    misses: str = says("the column with the rest of the total")
    delta: bool = says("the columns are counters: what counts is how much they grow", default=False)
    at: str = says("with `rows`: the column with the start of the bucket")
    width_s: float = says("with `rows`: a row is complete when this has passed", default=300.0)
    count: str = says("the column with the number of samples behind the value")
    stat: str = says("the query works out this statistic itself: `p95`, `avg` …")

    @property
    def is_share(self) -> bool:
        """Say whether two columns are divided."""
        return bool(self.hits) or (self.delta and not self.value)

    @property
    def yields(self) -> Yields:
        """Return what the samples are."""
        if self.rows:
            return Yields.SHARE if self.hits else Yields.GIVEN
        if self.delta:
            return Yields.SHARE if self.is_share else Yields.AMOUNT
        return Yields.GIVEN if self.stat or self.count else Yields.SAMPLES

    @property
    def stat_given(self) -> str:
        """Return the statistic that the query has worked out itself, or nothing."""
        return self.stat

    @property
    def lag_s(self) -> float:
        """Return how long after its own time a sample may come; a row after its bucket's end."""
        return self.every_s + self.timeout_s if self.rows else 0.0

    def describe(self) -> str:
        """Return the target and the beginning of the statement."""
        text = " ".join((self.query or self.rows).split())
        return f"{self.sql}: {text[:60]}{'…' if len(text) > 60 else ''}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisSource(Source):
    """Fields of INFO, or the answer to a command that only looks, of Redis or Valkey."""

    kind: ClassVar[str] = "redis"

    redis: str = says("the target: a Redis or Valkey database")
    value: str = says("the field of INFO with the value: `used_memory`")
    hits: str = says("the field with the hits: `keyspace_hits`; how much it grows is what counts")
    misses: str = says("the field with the misses: `keyspace_misses`")
    total: str = says("instead of `misses`: the field with the total")
    delta: bool = says("`value` is a counter: what counts is how much it grows", default=False)
    command: str = says("instead of a field: a command that gives a number, such as `LLEN jobs`")

    @property
    def yields(self) -> Yields:
        """Return what the samples are."""
        if self.hits:
            return Yields.SHARE
        return Yields.AMOUNT if self.delta else Yields.SAMPLES

    def describe(self) -> str:
        """Return the target and what is asked."""
        other = self.misses or self.total
        return f"{self.redis}: {self.command or self.value or f'{self.hits} with {other}'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PrometheusSource(Source):
    """The answer of a Prometheus server to an instant query: one number."""

    kind: ClassVar[str] = "prometheus"

    prometheus: str = says("the target: the address of the server")
    query: str = says("a query that gives one number")
    count: str = says("a query for the number of samples behind it")
    stat: str = says("the query works out this statistic itself: `p95`, `avg` …")
    headers: tuple[tuple[str, str], ...] = says("headers to send", default=())

    @property
    def yields(self) -> Yields:
        """Return what the samples are."""
        return Yields.GIVEN if self.stat or self.count else Yields.SAMPLES

    @property
    def stat_given(self) -> str:
        """Return the statistic that the query has worked out itself, or nothing."""
        return self.stat

    def describe(self) -> str:
        """Return the target and the query."""
        return f"{self.prometheus}: {self.query}"


class Gauge(StrEnum):
    """What can be seen of the machine on which gonogo runs."""

    CPU = "cpu"  # % of the time that the processors were busy since the last reading
    MEMORY = "memory"  # % that is not available
    MEMORY_FREE = "memory free"  # B that are available
    DISK = "disk"  # % that is used, as `df` says it
    DISK_FREE = "disk free"  # B that are free for users
    LOAD = "load"  # the mean number of running processes in a minute


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSource(Source):
    """The machine on which gonogo runs."""

    kind: ClassVar[str] = "host"

    every_s: float = says("how often it is read", default=10.0)
    host: Gauge = says("`cpu`, `memory`, `disk` in %; `memory free`, `disk free` in B; `load`")
    path: str = says("with `disk`: a path on the disk that is meant", default="/")

    def describe(self) -> str:
        """Return what is looked at."""
        return f"{self.host} of this machine" + (
            f" ({self.path})" if self.host in {Gauge.DISK, Gauge.DISK_FREE} else ""
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandSource(Source):
    """A command that prints one number."""

    kind: ClassVar[str] = "command"

    every_s: float = says("how often it is run", default=60.0)
    timeout_s: float = says("how long it may take", default=30.0)
    command: str = says("run by `sh` in the folder of the runbook; it only looks")

    def describe(self) -> str:
        """Return the command."""
        return self.command


KINDS: tuple[type[Source], ...] = (
    *(LogSource, HttpSource, SqlSource, RedisSource, PrometheusSource, HostSource, CommandSource),
)


def keys_of(kind: type[Source]) -> dict[str, str]:
    """Return what may be said about a source of this kind, the source first, with its meaning."""
    found = {
        _said(each.name): str(each.metadata["help"])
        for each in dataclasses.fields(kind)
        if each.metadata.get("key", True)
    }
    return {kind.kind: found.pop(kind.kind), **found}


def _said(name: str) -> str:
    return name.removesuffix("_s").replace("_", " ")
