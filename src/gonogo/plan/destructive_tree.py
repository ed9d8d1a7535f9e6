"""Recognises SQL that destroys what cannot be got back, from the tree of the statement itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from gonogo.plan import sqltree
from gonogo.plan.destructive_loss import LONGEST, Loss
from gonogo.plan.sqlread import Node, Parsed, bodies, built_text, read
from gonogo.source import shortened

_HOLDS = frozenset(  # data or secrets: no definition brings it back
    f"OBJECT_{name}"
    for name in ["TABLE", "SCHEMA", "MATVIEW", "SEQUENCE", "FOREIGN_SERVER", "FDW", "LARGEOBJECT"]
)
_WHOLE = frozenset(("delete_stmt", "update_stmt"))
_ASKING = frozenset(
    [
        "select_stmt",
        "insert_stmt",
        "update_stmt",
        "delete_stmt",
        "merge_stmt",
        "explain_stmt",
        "copy_stmt",
        "create_table_as_stmt",
        "prepare_stmt",
        "declare_cursor_stmt",
        "view_stmt",
    ]
)
_SHORTENING = frozenset(
    [
        "left",
        "right",
        "substr",
        "substring",
        "trunc",
        "round",
        "floor",
        "ceil",
        "ceiling",
        "date_trunc",
        "split_part",
    ]
)
_NARROW = frozenset(("varchar", "bpchar", "date", "bool", "time", "bit"))
_DEEPEST = 3


@dataclass(slots=True)
class Fresh:
    """What this text has made itself: taking that away loses nothing that was there before."""

    tables: set[str] = field(default_factory=set)
    columns: set[str] = field(default_factory=set)  # table.column

    def learn(self, statement: Parsed) -> None:
        """Take note of what a statement makes; a table that may have been there is not new."""
        node = statement.node
        if (statement.kind == "create_stmt" and not node.if_not_exists) or (
            statement.kind == "create_stmt" and node.relation.relpersistence == "t"
        ):
            self.tables.add(_key(statement, node.relation))
        elif statement.kind == "create_table_as_stmt" and not node.if_not_exists:
            self.tables.add(_key(statement, node.into.rel))
        elif statement.kind == "select_stmt" and node.HasField("into_clause"):
            self.tables.add(_key(statement, node.into_clause.rel))
        elif statement.kind == "create_seq_stmt" and not node.if_not_exists:
            self.tables.add(_key(statement, node.sequence))
        elif statement.kind == "create_schema_stmt" and not node.if_not_exists:
            self.tables.add(statement.written(node.schemaname).lower())
        elif statement.kind == "alter_table_stmt":
            table = _key(statement, node.relation)
            for command in _commands(node):
                is_added = sqltree.enum_name(command, "subtype") == "AT_AddColumn"
                if is_added and not command.missing_ok:
                    self.columns.add(f"{table}.{sqltree.column_of(command).colname.lower()}")


def losses_of(statement: Parsed, fresh: Fresh, depth: int = 0) -> Iterator[Loss]:
    """Yield what one statement destroys; `fresh` is what the text has made before it."""
    if statement.kind == "do_stmt":
        yield from _inside(statement, fresh, depth)
        return
    if statement.kind in _ASKING:
        targets = _emptied_by_words(statement, fresh)
    else:
        rule = _RULES.get(statement.kind)
        targets = rule(statement, fresh) if rule else iter(())
    found = [target for target in targets if target]
    if found and statement.kind in _ASKING:
        for target in found:
            yield _loss(statement, target)
    elif found:
        yield _loss(statement, ", ".join(found))


def _loss(statement: Parsed, target: str) -> Loss:
    return Loss(shortened(statement.text, LONGEST), target, statement.at, statement.end)


def _key(statement: Parsed, node: Node) -> str:
    return sqltree.relation(statement, node).lower()


def _commands(node: Node) -> Iterator[Node]:
    for item in node.cmds:
        yield item.alter_table_cmd


def _dropped(statement: Parsed, fresh: Fresh) -> Iterator[str]:
    node = statement.node
    cascades = sqltree.enum_name(node, "behavior") == "DROP_CASCADE"
    kind = sqltree.enum_name(node, "remove_type")
    if kind not in _HOLDS and not cascades:
        return
    for item in node.objects:
        name = sqltree.dropped(statement, item)
        if name.lower() not in fresh.tables:
            yield name


def _truncated(statement: Parsed, fresh: Fresh) -> Iterator[str]:
    for item in statement.node.relations:
        name = sqltree.relation(statement, item.range_var)
        if name.lower() not in fresh.tables:
            yield name


def _altered(statement: Parsed, fresh: Fresh) -> Iterator[str]:
    table = sqltree.relation(statement, statement.node.relation)
    if table.lower() in fresh.tables:
        return
    for command in _commands(statement.node):
        kind = sqltree.enum_name(command, "subtype")
        column = f"{table}.{statement.written(command.name)}"
        if kind == "AT_DropColumn" and column.lower() not in fresh.columns:
            yield column
        if kind == "AT_AlterColumnType" and shortens(sqltree.column_of(command)):
            yield column


def shortens(column: Node) -> bool:
    """Say whether a change of type is told to cut values: `USING left(a, 10)`, `a::varchar(10)`."""
    using = column.raw_default
    kind = using.WhichOneof("node")
    if kind == "func_call":
        return using.func_call.funcname[-1].string.sval in _SHORTENING
    if kind == "type_cast":
        wanted = using.type_cast.type_name
        return sqltree.type_of(wanted) in _NARROW and (
            bool(wanted.typmods) or sqltree.type_of(wanted) in {"date", "bool", "time"}
        )
    return False


def _emptied_by_words(statement: Parsed, fresh: Fresh) -> Iterator[str]:
    """Yield the tables of every DELETE and UPDATE in a statement that spares no row."""
    node = statement.node
    if statement.kind == "explain_stmt" and not sqltree.option(node.options, "analyze", "analyse"):
        return
    own = [(statement.kind, node)] if statement.kind in _WHOLE else []
    for kind, found in (*own, *sqltree.inside(node, _WHOLE)):
        if found.HasField("where_clause") and not sqltree.always_true(found.where_clause):
            continue
        table = sqltree.relation(statement, found.relation)
        if table.lower() in fresh.tables:
            continue
        if kind == "update_stmt" and _fills(found, table, fresh):
            continue
        yield table


def _fills(update: Node, table: str, fresh: Fresh) -> bool:
    """Say whether an UPDATE writes only into columns that the text has made itself."""
    names = [item.res_target.name.lower() for item in update.target_list]
    return bool(names) and all(f"{table.lower()}.{name}" in fresh.columns for name in names)


def _roles(statement: Parsed, _fresh: Fresh) -> Iterator[str]:
    for item in statement.node.roles:
        yield statement.written(item.role_spec.rolename) or "current_user"


def _inside(statement: Parsed, fresh: Fresh, depth: int) -> Iterator[Loss]:
    """Look into the body of a DO block; the place of a loss is that of the block."""
    found = bodies(statement.text)
    if found is None:
        from gonogo.plan.destructive_words import losses_by_words
        from gonogo.plan.sqltext import split

        for by_words in split(statement.text).statements:
            for loss in losses_by_words(by_words):
                yield Loss(loss.statement, loss.target, statement.at, statement.end)
        return
    if depth >= _DEEPEST:
        return
    for text, is_built in found:
        for inner in _read_all(built_text(text) if is_built else text, built=is_built):
            for loss in losses_of(inner, fresh, depth + 1):
                yield Loss(loss.statement, loss.target, statement.at, statement.end)
            fresh.learn(inner)


def _read_all(text: str, *, built: bool) -> tuple[Parsed, ...]:
    return read(text, built=built).statements if text else ()


_Rule = Callable[[Parsed, Fresh], Iterator[str]]
_RULES: Mapping[str, _Rule] = {
    "drop_stmt": _dropped,
    "truncate_stmt": _truncated,
    "alter_table_stmt": _altered,
    "dropdb_stmt": lambda s, _: iter((s.written(s.node.dbname),)),
    "drop_role_stmt": _roles,
    "drop_owned_stmt": _roles,
    "drop_table_space_stmt": lambda s, _: iter((s.written(s.node.tablespacename),)),
    "drop_subscription_stmt": lambda s, _: iter((s.written(s.node.subname),)),
    "drop_user_mapping_stmt": lambda s, _: iter((s.written(s.node.servername),)),
}
