"""What a merchant rarely changes and every order asks, kept by this process: taxes, ways of delivery, terms.

All of it stands under one mark, which triggers draw anew, at random, with each change of a table that is
watched, in the transaction that changes it. Whoever wants what is kept reads the mark first, with something
else that they have to read. An answer is given under the mark that it was read under, and under no other: the
same mark never comes back, neither after a change nor after a rollback (docs/adr/0056-kept-rules.md).
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, cast

from sqlalchemy import CheckConstraint, Executable, Label, Select, Table, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from core.kernel import guards
from core.kernel.db import Base, table

_PG_DRAW = """
CREATE OR REPLACE FUNCTION draw_rule_mark() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
  INSERT INTO rule_mark (id, mark) VALUES (1, gen_random_uuid())
  ON CONFLICT (id) DO UPDATE SET mark = EXCLUDED.mark;
  RETURN NULL;
END $body$
"""
_SQLITE_DRAW = (
    "INSERT INTO rule_mark (id, mark) VALUES (1, lower(hex(randomblob(16)))) "
    "ON CONFLICT (id) DO UPDATE SET mark = excluded.mark"
)


class RuleMark(Base):
    """One row: the mark of the rules as they stand. None yet: nothing is kept before the next change."""

    __tablename__ = "rule_mark"
    __table_args__ = (CheckConstraint("id = 1", name="one"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    mark: Mapped[uuid.UUID]


def watch(watched: object) -> None:
    """Every change of a table (a mapped class's ``__table__``) draws the mark anew, whoever makes it."""
    named = cast(Table, watched)
    name = named.name
    sqlite = [
        f"CREATE TRIGGER {name}_draws_on_{verb} AFTER {verb.upper()} ON {name} "
        f"BEGIN {_SQLITE_DRAW}; END"
        for verb in ("insert", "update", "delete")
    ]
    postgresql = [
        _PG_DRAW,
        f"CREATE TRIGGER {name}_draws AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {name} "
        "FOR EACH STATEMENT EXECUTE FUNCTION draw_rule_mark()",
    ]
    guards.install(named, "sqlite", sqlite)
    guards.install(named, "postgresql", postgresql)


def mark() -> Label[uuid.UUID]:
    """For a statement: the mark, as ``rule_mark``; NULL when none was drawn yet."""
    return _mark().scalar_subquery().label("rule_mark")


@cache
def _mark() -> Select[uuid.UUID]:
    return select(table(RuleMark).c.mark)


#: A text that is longer than this names nothing of ours, and may be as long as a form: it is not kept.
LONGEST = 100


class Kept:
    """The answers of one statement, by the values that it was asked with, to at most ``most`` questions.

    All that an answer depends on is in the values (the day, too) or in tables that are watched.
    """

    def __init__(self, statement: Callable[[], Executable], most: int) -> None:
        self.statement = statement
        self._most = most
        self._answers: dict[tuple[Any, ...], Sequence[Any]] = {}
        _every.append(self)

    def rows(
        self, session: Session, under: uuid.UUID | None, values: Mapping[str, Any]
    ) -> Sequence[Any]:
        """The rows ``under`` a mark that was read in this transaction; None: they are read in any case, as
        they are for a text that is longer than any rule's."""
        if under is None or any(_is_long(value) for value in values.values()):
            return session.execute(self.statement(), values).all()
        key = (under, *values.values())
        found = self._answers.get(key)
        if found is None:
            found = session.execute(self.statement(), values).all()
            # Somebody may have changed them since the mark was read: then these belong to another one.
            if session.scalar(_mark()) == under:
                self._keep(key, found)
        return found

    def _keep(self, key: tuple[Any, ...], found: Sequence[Any]) -> None:
        if len(self._answers) >= self._most:
            self._answers = {}  # what is asked now comes back by itself
        self._answers[key] = found


def _is_long(value: object) -> bool:
    return isinstance(value, str) and len(value) > LONGEST


_every: list[Kept] = []


def every() -> Sequence[Kept]:
    """All that is kept, for a test: is each table watched that they read?"""
    return tuple(_every)
