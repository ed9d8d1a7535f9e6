"""What the commands of an ALTER TABLE put at risk: rewrites, scans, columns to be filled."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from gonogo.plan import sqltree
from gonogo.plan.destructive_tree import shortens
from gonogo.plan.sqlread import Node
from gonogo.plan.sqlrisk import Danger, Known

Finding = tuple[Danger, tuple[str, str], str]
_SERIAL = frozenset(["serial", "serial2", "serial4", "serial8", "smallserial", "bigserial"])
_STEADY = frozenset(  # functions whose value is the same for all rows of one statement
    [
        "now",
        "transaction_timestamp",
        "statement_timestamp",
        "current_schema",
        "current_database",
        "current_setting",
        "version",
        "to_json",
        "to_jsonb",
        "jsonb_build_object",
        "json_build_object",
        "lower",
        "upper",
        "coalesce",
        "md5",
        "make_interval",
    ]
)
_LOSING = {
    "int2": "fractions and large numbers",
    "int4": "fractions",
    "date": "the time of the day",
    "float4": "digits",
    "bool": "everything but yes and no",
    "time": "the day",
}
_SLOW = "add a new column, fill it in portions, and change over in a later release"


def of_command(command: Node, table: str, known: Known) -> Iterator[Finding]:
    """Yield what one command of an ALTER TABLE of a table in use puts at risk."""
    rule = _RULES.get(sqltree.enum_name(command, "subtype"))
    if rule is not None:
        yield from rule(command, table, known)


def _added(command: Node, table: str, _known: Known) -> Iterator[Finding]:
    column = sqltree.column_of(command)
    name = f"{table}.{column.colname}"
    kinds = {sqltree.enum_name(item.constraint, "contype"): item for item in column.constraints}
    rewrites = (
        sqltree.type_of(column.type_name) in _SERIAL
        or "CONSTR_IDENTITY" in kinds
        or _is_stored(kinds.get("CONSTR_GENERATED"))
        or _is_volatile(kinds.get("CONSTR_DEFAULT"))
    )
    if rewrites:
        said = (
            f"every row of `{table}` is written anew to fill `{column.colname}`, and nobody can "
            "read or write it meanwhile",
            "add the column without a default, set the default, then fill it in portions",
        )
        yield Danger.REWRITE, said, name
    fills = rewrites or "CONSTR_DEFAULT" in kinds or "CONSTR_GENERATED" in kinds
    if {"CONSTR_NOTNULL", "CONSTR_PRIMARY"} & kinds.keys() and not fills:
        said = (
            f"`{name}` may not be null and has no default: this fails when `{table}` has rows",
            "give it a default, or fill it before `SET NOT NULL`",
        )
        yield Danger.EMPTY, said, name
    if {"CONSTR_UNIQUE", "CONSTR_PRIMARY"} & kinds.keys():
        yield _unique(table)


def _is_stored(item: Node) -> bool:
    return item is not None and item.constraint.generated_kind != "v"


def _is_volatile(item: Node) -> bool:
    """Say whether a default may differ from row to row; a function nobody knows may."""
    if item is None:
        return False
    holder = item.constraint
    calls = [found for _, found in sqltree.inside(holder, frozenset(("func_call",)))]
    return any(call.funcname[-1].string.sval not in _STEADY for call in calls)


def _unique(table: str) -> Finding:
    said = (
        f"nobody can read or write `{table}` until the index of the constraint is built",
        "`CREATE UNIQUE INDEX CONCURRENTLY` first, then `ADD CONSTRAINT … USING INDEX`",
    )
    return Danger.LOCK, said, table


def _retyped(command: Node, table: str, _known: Known) -> Iterator[Finding]:
    column = sqltree.column_of(command)
    wanted = sqltree.type_of(column.type_name)
    name = f"{table}.{command.name}"
    widens = wanted in {"text", "varchar"} and not column.type_name.typmods
    if not widens or column.HasField("raw_default"):
        said = (
            f"`{table}` is written anew for the new type of `{command.name}` (unless the old one "
            "is stored alike), and nobody can read or write it meanwhile",
            _SLOW,
        )
        yield Danger.REWRITE, said, name
    if wanted in _LOSING and not shortens(column):  # what is told to cut is a loss already
        said = (
            f"a change to `{wanted}` may drop {_LOSING[wanted]} of `{name}` without a word",
            "count the values that would change first, and keep the old column",
        )
        yield Danger.LOST, said, name


def _required(command: Node, table: str, known: Known) -> Iterator[Finding]:
    name = f"{table}.{command.name}"
    if name.lower() not in known.never_null:
        said = (
            f"every row of `{table}` is read for `{command.name}`, and nobody can read or write "
            "it meanwhile",
            f"`ADD CONSTRAINT … CHECK ({command.name} IS NOT NULL) NOT VALID`, then `VALIDATE "
            "CONSTRAINT`, then this",
        )
        yield Danger.SCAN, said, name


def _constrained(command: Node, table: str, _known: Known) -> Iterator[Finding]:
    constraint = getattr(command, "def").constraint
    kind = sqltree.enum_name(constraint, "contype")
    if kind in {"CONSTR_UNIQUE", "CONSTR_PRIMARY", "CONSTR_EXCLUSION"}:
        if not constraint.indexname:
            yield _unique(table)
        return
    if constraint.skip_validation or kind not in {
        "CONSTR_FOREIGN",
        "CONSTR_CHECK",
        "CONSTR_NOTNULL",
    }:
        return
    both = " and of the table that it names" if kind == "CONSTR_FOREIGN" else ""
    said = (
        f"every row of `{table}` is checked, and writers of it{both} wait meanwhile",
        "add it `NOT VALID`, then `VALIDATE CONSTRAINT` in a transaction of its own",
    )
    yield Danger.SCAN, said, table


def _moved(command: Node, table: str, _known: Known) -> Iterator[Finding]:
    del command
    said = (
        f"`{table}` is written anew, and nobody can read or write it meanwhile",
        "do it in a maintenance window",
    )
    yield Danger.REWRITE, said, table


def _attached(command: Node, table: str, _known: Known) -> Iterator[Finding]:
    del command
    said = (
        f"the new partition of `{table}` is read to see that every row belongs there",
        "give it a valid CHECK of the same bounds first",
    )
    yield Danger.SCAN, said, table


_Rule = Callable[[Node, str, Known], Iterator[Finding]]
_RULES: Mapping[str, _Rule] = {
    "AT_AddColumn": _added,
    "AT_AlterColumnType": _retyped,
    "AT_SetNotNull": _required,
    "AT_AddConstraint": _constrained,
    "AT_SetLogged": _moved,
    "AT_SetUnLogged": _moved,
    "AT_SetTableSpace": _moved,
    "AT_SetAccessMethod": _moved,
    "AT_AttachPartition": _attached,
}
