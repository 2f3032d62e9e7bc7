"""What migrations use beside alembic's own operations."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from alembic import op
from alembic.operations import BatchOperations


class CannotMigrate(RuntimeError):
    """A row is there that the new tables can't hold: says which, and what to do. Nothing was changed."""


def run(statements: Mapping[str, Sequence[str]]) -> None:
    """Run the statements of the dialect at hand, as they are written."""
    connection = op.get_bind()
    for statement in statements[connection.dialect.name]:
        # Without parameters a percent sign is only a percent sign.
        connection.exec_driver_sql(statement, execution_options={"no_parameters": True})


@contextmanager
def guarded_batch(table: str, **options: Any) -> Iterator[BatchOperations]:
    """``op.batch_alter_table`` that keeps every trigger.

    SQLite can't alter much, so batch mode makes the table anew: its triggers go with the old one, and
    those of other tables that speak of it stop the renaming. They are taken off and put back as they were.
    """
    connection = op.get_bind()
    if connection.dialect.name != "sqlite":
        with op.batch_alter_table(table, **options | {"recreate": "never"}) as batch:
            yield batch
        return
    triggers = [
        (name, statement)
        for name, statement in connection.exec_driver_sql(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY rowid"
        )
    ]
    for name, _ in triggers:
        connection.exec_driver_sql(f'DROP TRIGGER "{name}"')
    with op.batch_alter_table(table, **options) as batch:
        yield batch
    for _, statement in triggers:
        connection.exec_driver_sql(statement)


@contextmanager
def unfenced(table: str) -> Iterator[None]:
    """Without the triggers of one table: to fill a new column of what is append-only, and nothing else.

    When the step fails the transaction takes everything back, the triggers too.
    """
    connection = op.get_bind()
    if connection.dialect.name != "sqlite":
        connection.exec_driver_sql(f'ALTER TABLE "{table}" DISABLE TRIGGER USER')
        yield
        connection.exec_driver_sql(f'ALTER TABLE "{table}" ENABLE TRIGGER USER')
        return
    triggers = connection.exec_driver_sql(
        "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ? ORDER BY rowid",
        (table,),
    ).all()
    for name, _ in triggers:
        connection.exec_driver_sql(f'DROP TRIGGER "{name}"')
    yield
    for _, statement in triggers:
        connection.exec_driver_sql(statement)


def behind(column: str) -> dict[str, Any]:
    """Where ``add_column`` puts a column. On PostgreSQL there is one place only: the last."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    return {"insert_after": column} if sqlite else {}
