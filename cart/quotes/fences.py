"""What the database itself refuses about quotes, whoever asks. Imported for its effect, with the tables.

What was sent does not change: of a frozen version only its state moves, its lines, taxes and places stand
still. Words, acceptances and files are append-only.
"""

from typing import cast

from sqlalchemy import Table

from cart.quotes.models import (
    QuoteAcceptance,
    QuoteFile,
    QuoteLine,
    QuoteLineTax,
    QuoteMessage,
    QuoteSite,
    QuoteVersion,
)
from core.kernel import guards

for _kept in (QuoteMessage, QuoteAcceptance, QuoteFile):
    guards.append_only(_kept.__table__)

_SAME = "IS NOT DISTINCT FROM"
_MESSAGE = "what was sent of a quote does not change"


def _refuse(table: Table, name: str, event: str, when: str, answers: str = "NEW") -> None:
    """A trigger on both databases: ``when`` is a condition on NEW or OLD in common SQL, but for how to
    compare what may be NULL."""
    guards.install(
        table,
        "sqlite",
        [
            f"CREATE TRIGGER {name} BEFORE {event} ON {table.name} "
            f"WHEN {when.replace(_SAME, 'IS')}\n"
            f"BEGIN SELECT RAISE(ABORT, '{_MESSAGE}'); END"
        ],
    )
    guards.install(
        table,
        "postgresql",
        [
            f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $body$\n"
            f"BEGIN\n  IF {when} THEN\n"
            f"    RAISE EXCEPTION '{_MESSAGE}' USING ERRCODE = 'integrity_constraint_violation';\n"
            f"  END IF;\n  RETURN {answers};\nEND $body$",
            f"CREATE TRIGGER {name} BEFORE {event} ON {table.name} "
            f"FOR EACH ROW EXECUTE FUNCTION {name}()",
        ],
    )


def _fence_version() -> None:
    """Every column but the state is as it was frozen, but for how JSON is compared."""
    table = cast(Table, QuoteVersion.__table__)
    still = [
        f"CAST(NEW.{column.name} AS TEXT) {_SAME} CAST(OLD.{column.name} AS TEXT)"
        for column in table.columns
        if column.name != "state"
    ]
    _refuse(
        table,
        "quote_version_stays",
        "UPDATE",
        f"OLD.frozen_at IS NOT NULL AND NOT ({' AND '.join(still)})",
    )
    _refuse(table, "quote_version_kept", "DELETE", "OLD.frozen_at IS NOT NULL", "OLD")


def _fence_parts(model: type[QuoteLine | QuoteSite | QuoteLineTax], frozen: str) -> None:
    table = cast(Table, model.__table__)
    for event, row in (("INSERT", "NEW"), ("UPDATE", "OLD"), ("DELETE", "OLD")):
        name = f"{table.name}_stays_on_{event.lower()}"
        _refuse(
            table,
            name,
            event,
            f"EXISTS ({frozen.format(row=row)})",
            row if event == "DELETE" else "NEW",
        )


_fence_version()
for _part in (QuoteLine, QuoteSite):
    _fence_parts(
        _part,
        "SELECT 1 FROM quote_version WHERE id = {row}.version_id AND frozen_at IS NOT NULL",
    )
_fence_parts(
    QuoteLineTax,
    "SELECT 1 FROM quote_version v JOIN quote_line l ON l.version_id = v.id "
    "WHERE l.id = {row}.quote_line_id AND v.frozen_at IS NOT NULL",
)
