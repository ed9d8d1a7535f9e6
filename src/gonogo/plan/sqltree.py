"""Names and small facts out of the trees of SQL: tables, columns, options, conditions."""

from __future__ import annotations

from collections.abc import Iterator

from gonogo.plan.sqlread import Node, Parsed


def relation(statement: Parsed, node: Node) -> str:
    """Return the name of a table as the author wrote it: `public.orders`."""
    parts = (node.catalogname, node.schemaname, node.relname)
    return statement.written(".".join(part for part in parts if part))


def dotted(statement: Parsed, nodes: Node) -> str:
    """Return a qualified name from its parts."""
    return statement.written(".".join(part.string.sval for part in nodes))


def dropped(statement: Parsed, node: Node) -> str:
    """Return the name of one thing that a DROP names, whatever its shape in the tree."""
    kind = node.WhichOneof("node")
    if kind == "list":
        parts = [dropped(statement, item) for item in node.list.items]
        return ".".join(part for part in parts if part)
    if kind == "string":
        return statement.written(node.string.sval)
    if kind == "type_name":
        return dotted(statement, node.type_name.names)
    if kind == "object_with_args":
        return dotted(statement, node.object_with_args.objname)
    return ""


def column_of(command: Node) -> Node:
    """Return the definition of a column in a command of ALTER TABLE (the field is called `def`)."""
    return getattr(command, "def").column_def


def type_of(node: Node) -> str:
    """Return the plain name of a type without its schema: `int4`, `varchar`."""
    return str(node.names[-1].string.sval) if node.names else ""


def option(options: Node, *names: str) -> bool:
    """Say whether an option of a statement is set: `EXPLAIN (ANALYZE)`, `VACUUM (FULL)`."""
    for item in options:
        if item.def_elem.defname in names:
            return _is_on(item.def_elem.arg)
    return False


def _is_on(value: Node) -> bool:
    kind = value.WhichOneof("node")
    if kind is None:
        return True
    if kind == "string":
        return value.string.sval.lower() not in {"off", "false", "0", "no"}
    if kind == "boolean":
        return bool(value.boolean.boolval)
    if kind == "integer":
        return bool(value.integer.ival)
    return True


def inside(message: Node, kinds: frozenset[str]) -> Iterator[tuple[str, Node]]:
    """Yield every node of these kinds in a tree, outermost first."""
    for field, value in message.ListFields():
        if field.type != field.TYPE_MESSAGE:
            continue
        for item in (value,) if hasattr(value, "ListFields") else value:
            if field.name in kinds:
                yield field.name, item
            yield from inside(item, kinds)


def always_true(node: Node) -> bool:
    """Say whether a condition holds for every row, as far as its words tell: `1 = 1`, `true`."""
    kind = node.WhichOneof("node")
    if kind == "a_const":
        return bool(node.a_const.boolval.boolval)
    if kind == "type_cast":
        const = node.type_cast.arg.a_const
        return type_of(node.type_cast.type_name) == "bool" and const.sval.sval in {"t", "true"}
    if kind == "a_expr":
        return _equal_sides(node.a_expr)
    if kind == "bool_expr":
        return _of_parts(node.bool_expr)
    return False


def _equal_sides(node: Node) -> bool:
    if [part.string.sval for part in node.name] != ["="]:
        return False
    left, right = node.lexpr, node.rexpr
    if {left.WhichOneof("node"), right.WhichOneof("node")} == {"a_const"}:
        return _value(left.a_const) == _value(right.a_const)
    if {left.WhichOneof("node"), right.WhichOneof("node")} == {"column_ref"}:
        names = [[f.string.sval for f in side.column_ref.fields] for side in (left, right)]
        return names[0] == names[1]
    return False


def _value(const: Node) -> object:
    kind = const.WhichOneof("val")
    return (kind, str(getattr(const, kind))) if kind else None


def _of_parts(node: Node) -> bool:
    args = list(node.args)
    name = node.DESCRIPTOR.fields_by_name["boolop"].enum_type.values_by_number[node.boolop].name
    if name == "AND_EXPR":
        return all(always_true(arg) for arg in args)
    if name == "OR_EXPR":
        return any(always_true(arg) for arg in args)
    return _always_false(args[0])


def _always_false(node: Node) -> bool:
    if node.WhichOneof("node") == "a_const":
        const = node.a_const
        return const.WhichOneof("val") == "boolval" and not const.boolval.boolval
    return False


def enum_name(message: Node, field: str) -> str:
    """Return the name of an enumerated field: `OBJECT_TABLE`, `AT_DropColumn`."""
    described = message.DESCRIPTOR.fields_by_name[field]
    return str(described.enum_type.values_by_number[getattr(message, field)].name)
