"""What a database is made of, as text by name, so that two states of it can be compared."""

from __future__ import annotations

from collections.abc import Mapping

from gonogo.actions.migrate.database import Database

# Everything but data, in the words of the server; what an extension brought belongs to it.
_PARTS = r"""
WITH mine AS (
    SELECT n.oid, n.nspname FROM pg_namespace n
    WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
), of_extension AS (SELECT classid, objid FROM pg_depend WHERE deptype = 'e'),
relation AS (
    SELECT c.*, m.nspname || '.' || c.relname AS full_name FROM pg_class c
    JOIN mine m ON m.oid = c.relnamespace
    WHERE c.relname <> %(left_out)s AND NOT EXISTS (
        SELECT FROM pg_depend d JOIN pg_class o ON o.oid = d.refobjid
        WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
          AND d.refclassid = 'pg_class'::regclass AND o.relname = %(left_out)s)
      AND NOT EXISTS (SELECT FROM of_extension e
                      WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid)
)
SELECT 'schema', nspname, '' FROM mine
UNION ALL
SELECT CASE relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'table' WHEN 'v' THEN 'view'
            WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence'
            WHEN 'f' THEN 'foreign table' ELSE 'type' END,
       full_name,
       concat_ws(', ', CASE relpersistence WHEN 'u' THEN 'unlogged' END,
                 CASE WHEN relrowsecurity THEN 'row security' END,
                 CASE WHEN relforcerowsecurity THEN 'forced' END,
                 array_to_string(reloptions, ', '), pg_get_partkeydef(oid),
                 pg_get_expr(relpartbound, oid), array_to_string(relacl, ', '),
                 CASE WHEN relkind IN ('v', 'm') THEN pg_get_viewdef(oid) END)
FROM relation WHERE relkind IN ('r', 'p', 'v', 'm', 'S', 'f', 'c')
UNION ALL
SELECT 'column', r.full_name || '.' || a.attname,
       concat_ws(' ', format_type(a.atttypid, a.atttypmod),
                 CASE WHEN a.attnotnull THEN 'not null' END,
                 'default ' || pg_get_expr(d.adbin, d.adrelid), nullif(a.attidentity::text, ''),
                 nullif(a.attgenerated::text, ''),
                 'collate ' || (SELECT collname FROM pg_collation
                                WHERE oid = a.attcollation AND collname <> 'default'))
FROM relation r JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = r.oid AND d.adnum = a.attnum
WHERE r.relkind IN ('r', 'p', 'f', 'c')
UNION ALL
SELECT 'index', i.full_name, pg_get_indexdef(i.oid) || CASE WHEN x.indisvalid THEN ''
                             ELSE ' (invalid)' END
FROM relation i JOIN pg_index x ON x.indexrelid = i.oid
JOIN relation t ON t.oid = x.indrelid
UNION ALL
SELECT 'constraint', r.full_name || '.' || k.conname,
       pg_get_constraintdef(k.oid) || CASE WHEN k.convalidated THEN '' ELSE ' (not valid)' END
FROM relation r JOIN pg_constraint k ON k.conrelid = r.oid
UNION ALL
SELECT 'trigger', r.full_name || '.' || g.tgname,
       pg_get_triggerdef(g.oid) || ' ' || g.tgenabled::text
FROM relation r JOIN pg_trigger g ON g.tgrelid = r.oid WHERE NOT g.tgisinternal
UNION ALL
SELECT 'rule', r.full_name || '.' || u.rulename, pg_get_ruledef(u.oid)
FROM relation r JOIN pg_rewrite u ON u.ev_class = r.oid WHERE u.rulename <> '_RETURN'
UNION ALL
SELECT 'policy', r.full_name || '.' || p.polname,
       concat_ws(' ', p.polcmd, p.polpermissive, p.polroles::regrole[]::text,
                 pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))
FROM relation r JOIN pg_policy p ON p.polrelid = r.oid
UNION ALL
SELECT 'function', m.nspname || '.' || f.proname || '(' ||
       pg_get_function_identity_arguments(f.oid) || ')',
       CASE WHEN f.prokind = 'a' THEN 'aggregate' ELSE pg_get_functiondef(f.oid) END
FROM pg_proc f JOIN mine m ON m.oid = f.pronamespace
WHERE NOT EXISTS (SELECT FROM of_extension e
                  WHERE e.classid = 'pg_proc'::regclass AND e.objid = f.oid)
UNION ALL
SELECT 'type', m.nspname || '.' || t.typname,
       concat_ws(' ', t.typtype, format_type(nullif(t.typbasetype, 0), t.typtypmod),
                 (SELECT string_agg(enumlabel, ', ' ORDER BY enumsortorder)
                  FROM pg_enum WHERE enumtypid = t.oid),
                 (SELECT string_agg(pg_get_constraintdef(oid), ' ' ORDER BY conname)
                  FROM pg_constraint WHERE contypid = t.oid))
FROM pg_type t JOIN mine m ON m.oid = t.typnamespace
WHERE t.typtype IN ('e', 'd', 'r') AND NOT EXISTS (
    SELECT FROM of_extension e WHERE e.classid = 'pg_type'::regclass AND e.objid = t.oid)
UNION ALL
SELECT 'sequence settings', r.full_name,
       concat_ws(' ', s.seqtypid::regtype, s.seqstart, s.seqincrement, s.seqmin, s.seqmax,
                 s.seqcycle)
FROM relation r JOIN pg_sequence s ON s.seqrelid = r.oid
UNION ALL
SELECT 'extension', extname, extversion FROM pg_extension
"""

Snapshot = Mapping[str, str]  # `column public.orders.note` -> its definition


def snapshot(database: Database, left_out: str) -> Snapshot:
    """Return the schema of a database without the table `left_out` and what belongs to it."""
    cursor = database.connection.execute(_PARTS.encode(), {"left_out": left_out})
    return {f"{kind} {name}": " ".join(str(text).split()) for kind, name, text in cursor}


def differences(wanted: Snapshot, found: Snapshot) -> tuple[str, ...]:
    """Return a line for each part that is missing, too much, or not the same."""
    lines = [f"{name} is missing" for name in wanted if name not in found]
    lines += [f"{name} is still there" for name in found if name not in wanted]
    lines += [
        f"{name} is `{found[name][:200]}`, was `{text[:200]}`"
        for name, text in wanted.items()
        if name in found and found[name] != text
    ]
    return tuple(sorted(lines))
