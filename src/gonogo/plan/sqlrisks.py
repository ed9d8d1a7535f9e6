"""What a change of the schema does to a database in use: locks, rewrites, what cannot be undone.

Read from the trees of the statements, without a server. What the same release has made itself is
not in use yet, so nothing about it is a risk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from gonogo.plan import sqlread, sqltree
from gonogo.plan.destructive_tree import losses_of
from gonogo.plan.sqlread import Node, Parsed
from gonogo.plan.sqlrisk import Danger, Known, Risk, Setting
from gonogo.plan.sqlrisks_alter import of_command


def risks(text: str, setting: Setting, known: Known | None = None) -> tuple[Risk, ...]:
    """Return what the statements of a text put at risk, in order."""
    known = known if known is not None else Known()
    reading = sqlread.read(text)
    found: list[Risk] = [_unreadable(i) for i in reading.unparsed if not i.has_variable]
    patient = setting.has_lock_timeout
    inside = setting.in_transaction
    for statement in reading.statements:
        patient = patient or _sets_lock_timeout(statement)
        inside = _goes_on(statement, inside=inside, always=setting.in_transaction)
        here = list(_of(statement, known, inside=inside))
        found += here
        blocking = _blocks(statement, known)
        if blocking and not patient:
            found.append(_impatient(statement, blocking))
            patient = True  # once is enough
        _learn(statement, known)
    return tuple(sorted(found, key=lambda risk: risk.at))


def _unreadable(item: sqlread.Unparsed) -> Risk:
    return Risk(
        Danger.UNREADABLE,
        f"PostgreSQL cannot read this: {item.message}",
        "mend the statement; its parser is that of PostgreSQL 18",
        item.at,
        item.statement.end,
    )


def _goes_on(statement: Parsed, *, inside: bool, always: bool) -> bool:
    """Follow `BEGIN` and `COMMIT` of the text itself."""
    if statement.kind != "transaction_stmt":
        return inside
    kind = sqltree.enum_name(statement.node, "kind")
    if kind in {"TRANS_STMT_BEGIN", "TRANS_STMT_START"}:
        return True
    return always if kind in {"TRANS_STMT_COMMIT", "TRANS_STMT_ROLLBACK"} else inside


def _sets_lock_timeout(statement: Parsed) -> bool:
    return statement.kind == "variable_set_stmt" and statement.node.name == "lock_timeout"


def _of(statement: Parsed, known: Known, *, inside: bool) -> Iterator[Risk]:
    for loss in losses_of(statement, known.fresh):
        yield Risk(
            Danger.LOST,
            f"`{loss.target}` is lost, and no step back brings it back",
            "dump it first; or stop using it in this release and remove it in the next",
            loss.at,
            loss.end,
            loss.target,
        )
    if inside:
        yield from _transactional(statement)
    rule = _RULES.get(statement.kind)
    if rule is not None:
        yield from rule(statement, known)


def _risk(statement: Parsed, danger: Danger, said: tuple[str, str], target: str = "") -> Risk:
    message, hint = said
    return Risk(danger, message, hint, statement.at, statement.end, target)


def _transactional(statement: Parsed) -> Iterator[Risk]:
    words = _outside(statement)
    if words:
        said = (
            f"`{words}` cannot run inside a transaction",
            "put it into a file of its own with the line `-- gonogo: no transaction`",
        )
        yield _risk(statement, Danger.TRANSACTION, said)


def needs_no_transaction(text: str) -> str:
    """Return the first statement of a text that a transaction refuses; empty if there is none."""
    for statement in sqlread.read(text).statements:
        words = _outside(statement)
        if words:
            return words
    return ""


def has_own_transaction(text: str) -> bool:
    """Say whether a text begins or ends transactions itself."""
    ends = {"TRANS_STMT_BEGIN", "TRANS_STMT_START", "TRANS_STMT_COMMIT", "TRANS_STMT_ROLLBACK"}
    return any(
        s.kind == "transaction_stmt" and sqltree.enum_name(s.node, "kind") in ends
        for s in sqlread.read(text).statements
    )


def _outside(statement: Parsed) -> str:
    node, kind = statement.node, statement.kind
    if kind == "index_stmt" and node.concurrent:
        return "CREATE INDEX CONCURRENTLY"
    if kind == "drop_stmt" and node.concurrent:
        return "DROP INDEX CONCURRENTLY"
    if kind == "reindex_stmt":
        whole = sqltree.enum_name(node, "kind") in {
            "REINDEX_OBJECT_SCHEMA",
            "REINDEX_OBJECT_SYSTEM",
            "REINDEX_OBJECT_DATABASE",
        }
        concurrent = sqltree.option(node.params, "concurrently")
        return "REINDEX CONCURRENTLY" if concurrent else "REINDEX DATABASE" if whole else ""
    if kind == "vacuum_stmt":
        return "VACUUM" if node.is_vacuumcmd else ""
    if kind == "alter_table_stmt" and any(_detaches(c.alter_table_cmd) for c in node.cmds):
        return "DETACH PARTITION CONCURRENTLY"
    return _ALONE.get(kind, "")


def _detaches(command: Node) -> bool:
    if sqltree.enum_name(command, "subtype") != "AT_DetachPartition":
        return False
    return bool(getattr(command, "def").partition_cmd.concurrent)


_ALONE: Mapping[str, str] = {
    "createdb_stmt": "CREATE DATABASE",
    "dropdb_stmt": "DROP DATABASE",
    "create_table_space_stmt": "CREATE TABLESPACE",
    "drop_table_space_stmt": "DROP TABLESPACE",
    "alter_system_stmt": "ALTER SYSTEM",
    "create_subscription_stmt": "CREATE SUBSCRIPTION",
}


def _blocks(statement: Parsed, known: Known) -> str:
    """Return the table that a statement locks against readers or writers; empty: none in use."""
    node, kind = statement.node, statement.kind
    if (
        kind == "alter_table_stmt"
        or (kind == "rename_stmt" and node.HasField("relation"))
        or (kind == "index_stmt" and not node.concurrent)
    ):
        name = sqltree.relation(statement, node.relation)
    elif kind == "drop_stmt" and not node.concurrent and node.objects:
        if sqltree.enum_name(node, "remove_type") not in {"OBJECT_TABLE", "OBJECT_INDEX"}:
            return ""
        name = sqltree.dropped(statement, node.objects[0])
    elif kind in {"truncate_stmt", "lock_stmt"} and node.relations:
        name = sqltree.relation(statement, node.relations[0].range_var)
    else:
        return ""
    return "" if _is_new(name, known) else name


def _is_new(name: str, known: Known) -> bool:
    return name.lower() in known.fresh.tables or name.lower() in known.indexes


def _impatient(statement: Parsed, name: str) -> Risk:
    said = (
        f"this waits for `{name}` without end, and everybody who comes later waits behind it",
        "put `SET LOCAL lock_timeout = '5s';` in front, and try again when it fails",
    )
    return _risk(statement, Danger.PATIENCE, said, name)


def _index(statement: Parsed, known: Known) -> Iterator[Risk]:
    node = statement.node
    table = sqltree.relation(statement, node.relation)
    if not node.concurrent and not _is_new(table, known):
        said = (
            f"nobody can write to `{table}` until the index is built",
            "write `CREATE INDEX CONCURRENTLY`, in a file of its own without a transaction",
        )
        yield _risk(statement, Danger.LOCK, said, table)


def _reindex(statement: Parsed, known: Known) -> Iterator[Risk]:
    node = statement.node
    name = sqltree.relation(statement, node.relation) or statement.written(node.name)
    if not sqltree.option(node.params, "concurrently") and not _is_new(name, known):
        said = (f"nobody can write while `{name}` is indexed", "write `REINDEX … CONCURRENTLY`")
        yield _risk(statement, Danger.LOCK, said, name)


def _vacuum(statement: Parsed, _known: Known) -> Iterator[Risk]:
    node = statement.node
    if node.is_vacuumcmd and sqltree.option(node.options, "full"):
        names = [sqltree.relation(statement, r.vacuum_relation.relation) for r in node.rels]
        name = ", ".join(names) or "every table"
        said = (
            f"{_table(name)} is written anew, and nobody can read or write it meanwhile",
            "a plain `VACUUM` takes no such lock",
        )
        yield _risk(statement, Danger.REWRITE, said, name)


def _table(name: str) -> str:
    return name if name == "every table" else f"`{name}`"


def _cluster(statement: Parsed, known: Known) -> Iterator[Risk]:
    name = sqltree.relation(statement, statement.node.relation) or "every table"
    if not _is_new(name, known):
        said = (
            f"{_table(name)} is written anew, and nobody can read or write it meanwhile",
            "do it in a maintenance window",
        )
        yield _risk(statement, Danger.REWRITE, said, name)


def _refresh(statement: Parsed, known: Known) -> Iterator[Risk]:
    node = statement.node
    name = sqltree.relation(statement, node.relation)
    if not node.concurrent and not node.skip_data and not _is_new(name, known):
        said = (
            f"nobody can read `{name}` until it is refreshed",
            "write `REFRESH MATERIALIZED VIEW CONCURRENTLY`; it needs a unique index",
        )
        yield _risk(statement, Danger.LOCK, said, name)


def _rename(statement: Parsed, known: Known) -> Iterator[Risk]:
    node = statement.node
    if sqltree.enum_name(node, "rename_type") not in {"OBJECT_TABLE", "OBJECT_COLUMN"}:
        return
    name = sqltree.relation(statement, node.relation)
    if not _is_new(name, known):
        what = f"{name}.{node.subname}" if node.subname else name
        said = (
            f"the release that still runs asks for `{statement.written(what)}`",
            "add the new name beside the old one, and remove the old one in a later release",
        )
        yield _risk(statement, Danger.BROKEN, said, what)


def _enum(statement: Parsed, _known: Known) -> Iterator[Risk]:
    node = statement.node
    if not node.old_val:
        name = sqltree.dotted(statement, node.type_name)
        said = (
            f"a value of `{name}` cannot be taken back once it is there",
            "the way back must live with it",
        )
        yield _risk(statement, Danger.LOST, said, f"{name} without `{node.new_val}`")


def _deleted(statement: Parsed, known: Known) -> Iterator[Risk]:
    """Rows that are deleted by a condition are gone too, though it needs no typed word."""
    node = statement.node
    name = sqltree.relation(statement, node.relation)
    boundless = not node.HasField("where_clause") or sqltree.always_true(node.where_clause)
    if not boundless and not _is_new(name, known):
        said = (
            f"rows of `{name}` are deleted, and no step back brings them back",
            "copy them into a table of their own first",
        )
        yield _risk(statement, Danger.LOST, said, f"rows of {name}")


def _altered(statement: Parsed, known: Known) -> Iterator[Risk]:
    if sqltree.enum_name(statement.node, "objtype") != "OBJECT_TABLE":
        return
    table = sqltree.relation(statement, statement.node.relation)
    if _is_new(table, known):
        return
    for item in statement.node.cmds:
        for danger, said, target in of_command(item.alter_table_cmd, table, known):
            yield _risk(statement, danger, said, target)


_Rule = Callable[[Parsed, Known], Iterator[Risk]]
_RULES: Mapping[str, _Rule] = {
    "index_stmt": _index,
    "reindex_stmt": _reindex,
    "vacuum_stmt": _vacuum,
    "cluster_stmt": _cluster,
    "refresh_mat_view_stmt": _refresh,
    "rename_stmt": _rename,
    "alter_enum_stmt": _enum,
    "delete_stmt": _deleted,
    "alter_table_stmt": _altered,
}


def _learn(statement: Parsed, known: Known) -> None:
    known.fresh.learn(statement)
    if statement.kind == "index_stmt" and statement.node.idxname:
        known.indexes.add(statement.written(statement.node.idxname).lower())
    if statement.kind != "alter_table_stmt":
        return
    table = sqltree.relation(statement, statement.node.relation).lower()
    for item in statement.node.cmds:
        _learn_check(item.alter_table_cmd, table, known)


def _learn_check(command: Node, table: str, known: Known) -> None:
    kind = sqltree.enum_name(command, "subtype")
    if kind == "AT_ValidateConstraint":
        column = known.checks.get((table, command.name.lower()))
        if column:
            known.never_null.add(f"{table}.{column}")
    if kind != "AT_AddConstraint":
        return
    constraint = getattr(command, "def").constraint
    column = _tested_column(constraint)
    if column:
        known.checks[table, constraint.conname.lower()] = column
        if not constraint.skip_validation:
            known.never_null.add(f"{table}.{column}")


def _tested_column(constraint: Node) -> str:
    """Return the column that a constraint keeps from being null; empty for any other."""
    kind = sqltree.enum_name(constraint, "contype")
    if kind == "CONSTR_NOTNULL" and constraint.keys:
        return str(constraint.keys[0].string.sval).lower()
    test = constraint.raw_expr.null_test
    if kind != "CONSTR_CHECK" or sqltree.enum_name(test, "nulltesttype") != "IS_NOT_NULL":
        return ""
    fields = test.arg.column_ref.fields
    return str(fields[-1].string.sval).lower() if fields else ""
