"""Fences in the database itself: what is append-only, and that a journal entry balances.

The statements here build a fresh schema; migrations carry frozen copies of them.
"""

from typing import cast

from sqlalchemy import Connection, Table, event

PG_REFUSE = """
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $body$
"""

_installed: list[tuple[str, str]] = []


def append_only(table: object) -> None:
    """Nobody may change or delete a row of ``table`` (a mapped class's ``__table__``)."""
    named = cast(Table, table)
    for dialect, statements in append_only_ddl(named.name).items():
        install(named, dialect, statements)


def append_only_ddl(name: str) -> dict[str, list[str]]:
    """The triggers that make table ``name`` append-only, by dialect."""
    sqlite = [
        f"CREATE TRIGGER {name}_no_{verb} BEFORE {verb.upper()} ON {name} "
        f"BEGIN SELECT RAISE(ABORT, '{name} is append-only'); END"
        for verb in ("update", "delete")
    ]
    postgresql = [
        PG_REFUSE,
        f"CREATE TRIGGER {name}_append_only BEFORE UPDATE OR DELETE ON {name} "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        f"CREATE TRIGGER {name}_no_truncate BEFORE TRUNCATE ON {name} "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    ]
    return {"sqlite": sqlite, "postgresql": postgresql}


def only_ends(table: object, column: str) -> None:
    """Nobody may change or delete a row of ``table``, but set ``column``, once: when it ended."""
    named = cast(Table, table)
    name, others = named.name, [each.name for each in named.columns if each.name != column]

    def changes(differs: str) -> str:
        same = " OR ".join(f"{differs.format(each)}" for each in others)
        return f"OLD.{column} IS NOT NULL OR NEW.{column} IS NULL OR {same}"

    sqlite = [
        f"CREATE TRIGGER {name}_only_ends BEFORE UPDATE ON {name} "
        f"WHEN {changes('OLD.{0} IS NOT NEW.{0}')} "
        f"BEGIN SELECT RAISE(ABORT, '{name} is append-only'); END",
        append_only_ddl(name)["sqlite"][1],
    ]
    postgresql = [
        PG_REFUSE,
        f"CREATE TRIGGER {name}_only_ends BEFORE UPDATE ON {name} FOR EACH ROW "
        f"WHEN ({changes('OLD.{0} IS DISTINCT FROM NEW.{0}')}) EXECUTE FUNCTION refuse_change()",
        f"CREATE TRIGGER {name}_no_delete BEFORE DELETE ON {name} "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()",
        f"CREATE TRIGGER {name}_no_truncate BEFORE TRUNCATE ON {name} "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    ]
    install(named, "sqlite", sqlite)
    install(named, "postgresql", postgresql)


def stays_once(table: object, column: str) -> None:
    """Nobody may change or delete a row of ``table`` in which ``column`` is set."""
    named = cast(Table, table)
    name, is_set = named.name, f"OLD.{column} IS NOT NULL"
    sqlite = [
        f"CREATE TRIGGER {name}_stays_{verb} BEFORE {verb.upper()} ON {name} WHEN {is_set} "
        f"BEGIN SELECT RAISE(ABORT, '{name} stays as it is'); END"
        for verb in ("update", "delete")
    ]
    postgresql = [
        PG_REFUSE,
        f"CREATE TRIGGER {name}_stays BEFORE UPDATE OR DELETE ON {name} FOR EACH ROW "
        f"WHEN ({is_set}) EXECUTE FUNCTION refuse_change()",
    ]
    install(named, "sqlite", sqlite)
    install(named, "postgresql", postgresql)


def install(table: object, dialect: str, statements: list[str]) -> None:
    """Run ``statements`` after ``table`` was created on ``dialect``."""
    _installed.extend((dialect, statement) for statement in statements)

    def run(target: object, connection: Connection, **options: object) -> None:
        if connection.dialect.name == dialect:
            for statement in statements:
                # Without parameters a percent sign is only a percent sign.
                connection.exec_driver_sql(statement, execution_options={"no_parameters": True})

    event.listen(cast(Table, table), "after_create", run)


def installed(dialect: str) -> list[str]:
    """Every statement that ``install`` was given for ``dialect``, once each: migrations copy them."""
    return list(dict.fromkeys(text for kind, text in _installed if kind == dialect))
