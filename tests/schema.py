"""A database's schema as a set of sentences, so that two can be compared and the difference be read."""

import re

from sqlalchemy import Connection, Engine, inspect

#: Alembic's own.
_NOT_OURS = "alembic_version"


def facts(engine: Engine) -> set[str]:
    """Columns, types, keys, checks, indexes with their predicates, triggers and functions."""
    with engine.connect() as connection:
        found = _sqlite(connection) if engine.dialect.name == "sqlite" else _postgres(connection)
        return {
            re.sub(r"\s+", " ", sentence).strip() for sentence in found if _NOT_OURS not in sentence
        }


def _sqlite(connection: Connection) -> list[str]:
    look = inspect(connection)
    found = []
    for table in look.get_table_names():
        for number, name, kind, not_null, default, key in connection.exec_driver_sql(
            f'PRAGMA table_info("{table}")'
        ):
            found.append(
                f"{table}.{name} #{number} {kind} null={not not_null} default={default} key={key}"
            )
        found.append(f"{table}: {look.get_pk_constraint(table)}")
        for what in ("get_check_constraints", "get_unique_constraints", "get_foreign_keys"):
            found.extend(f"{table} {what[4:]}: {item}" for item in getattr(look, what)(table))
    found.extend(
        f"{kind} on {table}: {text}"
        for kind, table, text in connection.exec_driver_sql(
            "SELECT type, tbl_name, sql FROM sqlite_master "
            "WHERE type <> 'table' AND sql IS NOT NULL"
        )
    )
    return found


def _postgres(connection: Connection) -> list[str]:
    queries = (
        # Where a column stands is not told: one that was added later is the last, whatever we do.
        "SELECT c.relname || '.' || attname || ' ' "
        "|| format_type(atttypid, atttypmod) || ' not null=' || attnotnull || ' identity=' "
        "|| attidentity::text || ' default=' || coalesce(pg_get_expr(adbin, adrelid), '') "
        "FROM pg_attribute JOIN pg_class c ON c.oid = attrelid AND c.relkind = 'r' "
        "LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum "
        "WHERE c.relnamespace = 'public'::regnamespace AND attnum > 0 AND NOT attisdropped",
        "SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) "
        "|| ' deferrable=' || condeferrable || condeferred FROM pg_constraint "
        "WHERE connamespace = 'public'::regnamespace AND contype <> 't'",
        "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'",
        "SELECT pg_get_triggerdef(oid) || ' enabled=' || tgenabled::text FROM pg_trigger "
        "WHERE NOT tgisinternal",
        "SELECT pg_get_functiondef(oid) FROM pg_proc "
        "WHERE pronamespace = 'public'::regnamespace AND prokind = 'f'",
        "SELECT 'sequence ' || sequencename || ' ' || data_type::text FROM pg_sequences "
        "WHERE schemaname = 'public'",
    )
    return [sentence for query in queries for (sentence,) in connection.exec_driver_sql(query)]
