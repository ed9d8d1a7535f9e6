"""Reads what the front matter says about a metric: a source, or all of its mistakes at once."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection

from gonogo.errors import Diagnostic, Severity
from gonogo.plan import log_lines
from gonogo.plan.model import Metric
from gonogo.plan.safe_pattern import RefusedError
from gonogo.plan.sources import (
    Beat,
    Begin,
    CommandSource,
    Gauge,
    HostSource,
    HttpSource,
    LogSource,
    PrometheusSource,
    RedisSource,
    Source,
    SqlSource,
)
from gonogo.plan.sources_draft import ADDRESS, Draft, listed, nearest

_REDIS_LOOKS = frozenset(
    """LLEN ZCARD SCARD HLEN XLEN DBSIZE GET HGET ZCOUNT STRLEN EXISTS PFCOUNT TTL PTTL ZSCORE
    BITCOUNT""".split()  # noqa: SIM905
)


def read_metric(
    metric: Metric, targets: Collection[str]
) -> tuple[Source | None, tuple[Diagnostic, ...]]:
    """Return the source that a metric is bound to, and what is to be said about it.

    There is no source when one of the diagnostics is an error.
    """
    draft = Draft(metric, targets)
    kind = draft.kind()
    if kind is None:
        return None, tuple(draft.diagnostics)
    draft.refuse_unknown_keys(kind)
    source = _READERS[kind](draft)
    if any(d.severity is Severity.ERROR for d in draft.diagnostics):
        return None, tuple(draft.diagnostics)
    return source, tuple(draft.diagnostics)


def _log(draft: Draft) -> Source:
    form, pattern = draft.text("format") or "json", draft.text("pattern")
    draft.only_one("format", "pattern")
    form = form.lower() if form.lower() in log_lines.FORMATS else form
    if not draft.only_one("value", "ratio", "count"):
        draft.wrong(
            "GN364",
            "`log` needs `value`, `ratio` or `count`",
            '`value: duration_ms`, `ratio: "status >= 500"` or `count: true`',
        )
    value = draft.text("value")
    shares = "ratio" in draft.given
    counts = not value and not shares
    common = draft.settle(
        LogSource, "%" if shares else "lines" if counts and "unit" not in draft.given else None
    )
    if value:
        draft.hint_at_unit(value)
    exclude = () if draft.given.get("exclude") in (None, "") else draft.filters("exclude")
    source = LogSource(
        **common,  # type: ignore[arg-type]
        log=draft.text("log"),
        format=form,
        pattern=pattern,
        value=value,
        ratio=draft.filter("ratio"),
        count=draft.flag("count"),
        where=draft.filter("where"),
        exclude=exclude,
        own_traffic=draft.flag("own traffic"),
        time=draft.text("time"),
        begin=draft.choice("begin", Begin, Begin.END),
    )
    if "*" in source.log:
        draft.unfit("log", "one file", "bind a metric of its own to each file")
    _refuse_strange_fields(draft, source)
    return source


def _refuse_strange_fields(draft: Draft, source: LogSource) -> None:
    """Refuse a format that cannot be used, and fields that its lines never have."""
    try:
        log_lines.line_reader(source.format, source.pattern, source.fields())
        known = log_lines.fields_of(source.format, source.pattern)
    except RefusedError as problem:
        draft.wrong("GN368", str(problem), problem.hint)
        return
    for name in source.fields() if known is not None else ():
        if known is not None and name not in known:
            near = nearest(name, known)
            hint = f"did you mean `{near}`?" if near else listed(known)
            draft.wrong("GN367", f"lines of this format have no `{name}`", hint)


def _http(draft: Draft) -> Source:
    if "ratio" in draft.given:
        draft.wrong(
            "GN365",
            "`ratio` does not say what a request without an answer is",
            'write `value: failures`, and what is none with `success: "status < 500"`',
        )
    value = draft.choice("value", Beat, Beat.LATENCY)
    success = draft.filter("success")
    strange = [name for name in (success.fields() if success else ()) if name not in _BEAT_FIELDS]
    if strange:
        draft.wrong("GN367", f"an answer has no `{strange[0]}`", listed(_BEAT_FIELDS))
    address = draft.text("http")
    if address and not ADDRESS.search(address):
        name = address.partition("/")[0]
        hint = f"write `{{{{{name}}}}}/…`" if name in draft.targets else "write `https://…`"
        draft.wrong("GN363", f"`http` is `{address}`, expected an address", hint)
    return HttpSource(
        **draft.settle(HttpSource, "ms" if value is Beat.LATENCY else "%"),  # type: ignore[arg-type]
        http=address,
        value=value,
        success=success,
        headers=draft.headers(),
        follow=draft.flag("follow"),
        insecure=draft.flag("insecure"),
    )


_ONE_COUNTER = (
    "`delta` alone is a share of two columns; for one column that counts, name it: `value: COLUMN`"
)
_BEAT_FIELDS = ("status", "latency", "size")


def _sql(draft: Draft) -> Source:
    shape = draft.only_one("query", "rows")
    if not shape:
        draft.wrong("GN364", "`query` or `rows` is missing", '`query: "SELECT …"`')
    if "rows" in draft.given:
        draft.need("at", why=" beside `rows`")
        if "value" not in draft.given and "hits" not in draft.given:
            draft.need("value", why=" beside `rows`")
        draft.not_with("rows", "a row is taken once, it is no counter", "delta")
    else:
        draft.not_with("query", "it is for `rows`", "at", "width")
    _share(draft)
    is_share = "hits" in draft.given or (draft.flag("delta") and "value" not in draft.given)
    if is_share:
        draft.not_with("hits", "a share of two columns knows its own number", "count", "stat")
    elif draft.flag("delta"):
        draft.not_with("delta", "an amount has no statistic", "count", "stat")
    if "value" in draft.given:
        draft.hint_at_unit(draft.text("value"))
    width = draft.seconds("width")
    instead = "" if "hits" in draft.given else _ONE_COUNTER
    found = SqlSource(
        **draft.settle(SqlSource, "%" if is_share else None, instead),  # type: ignore[arg-type]
        sql=draft.target("sql"),
        query=draft.statement("query"),
        rows=draft.statement("rows"),
        value=draft.text("value"),
        hits=draft.text("hits"),
        total=draft.text("total"),
        misses=draft.text("misses"),
        delta=draft.flag("delta"),
        at=draft.text("at"),
        count=draft.text("count"),
        stat=draft.stat(),
    )
    return found if width is None else dataclasses.replace(found, width_s=width)


def _share(draft: Draft) -> None:
    """Settle `hits` with `total` or `misses`."""
    if "hits" in draft.given:
        draft.not_with("hits", "a share needs no value", "value")
        if not draft.only_one("total", "misses"):
            draft.need("total", why=" beside `hits`")
        return
    for key in ("total", "misses"):
        if key in draft.given:
            draft.need("hits", why=f" beside `{key}`")


def _redis(draft: Draft) -> Source:
    if not draft.only_one("value", "hits", "command"):
        draft.wrong("GN364", "`redis` needs `value`, `hits` or `command`", "`value: used_memory`")
    _share(draft)
    if "hits" in draft.given:
        draft.not_with("hits", "INFO counts from the start, so it is always counted", "delta")
    command = draft.text("command")
    if command and command.split()[0].upper() not in _REDIS_LOOKS:
        draft.unfit("command", "a command that only looks", listed(sorted(_REDIS_LOOKS)))
    return RedisSource(
        **draft.settle(RedisSource, "%" if "hits" in draft.given else None),  # type: ignore[arg-type]
        redis=draft.target("redis"),
        value=draft.text("value"),
        hits=draft.text("hits"),
        misses=draft.text("misses"),
        total=draft.text("total"),
        delta=draft.flag("delta"),
        command=command,
    )


def _prometheus(draft: Draft) -> Source:
    draft.need("query")
    return PrometheusSource(
        **draft.settle(PrometheusSource),  # type: ignore[arg-type]
        prometheus=draft.target("prometheus"),
        query=draft.text("query"),
        count=draft.text("count"),
        stat=draft.stat(),
        headers=draft.headers(),
    )


_GAUGE_UNITS = {
    Gauge.CPU: "%",
    Gauge.MEMORY: "%",
    Gauge.DISK: "%",
    Gauge.LOAD: "",
    Gauge.MEMORY_FREE: "B",
    Gauge.DISK_FREE: "B",
}


def _host(draft: Draft) -> Source:
    gauge = draft.choice("host", Gauge, Gauge.CPU)
    if gauge not in {Gauge.DISK, Gauge.DISK_FREE}:
        draft.not_with("host", f"`{gauge}` has no path", "path")
    return HostSource(
        **draft.settle(HostSource, _GAUGE_UNITS[gauge]),  # type: ignore[arg-type]
        host=gauge,
        path=draft.text("path") or "/",
    )


def _command(draft: Draft) -> Source:
    return CommandSource(
        **draft.settle(CommandSource),  # type: ignore[arg-type]
        command=draft.text("command"),
    )


_READERS: dict[type[Source], Callable[[Draft], Source]] = {
    LogSource: _log,
    HttpSource: _http,
    SqlSource: _sql,
    RedisSource: _redis,
    PrometheusSource: _prometheus,
    HostSource: _host,
    CommandSource: _command,
}
