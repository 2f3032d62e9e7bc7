"""Bring another system's invoices in as history: accounts, documents, lines and ledger entries.

Pass one (``check``) reads the whole file into a spool and writes nothing; pass two (``write``) writes
what is new, a page of documents in each transaction. Run again it finds nothing to do; killed in the
middle and run again it goes on where it was. No mail, no event, no rendering: nothing happens because
of history.
"""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Literal, cast

from sqlalchemy.orm import Session

from core.kernel import audit, crash
from core.kernel.clock import Clock
from core.kernel.db import Database
from core.ledger import chart
from core.ledger import history as past_ledger
from core.ledger.history import Past
from core.parties import external
from invoices import history
from invoices import history_documents as documents
from invoices.document import Kind
from invoices.history import Bad
from invoices.history_documents import Biller, Payer
from invoices.history_mapping import MappingFile
from invoices.history_spool import Draft, Spool

#: Hears of a stage ("Reading", "Comparing", "Writing"), what is done of it, and how much it is in all.
Told = Callable[[str, int, int], None]
#: The day on which the other system was paid for a document issued on a day; None for not at all.
SettledOn = Callable[[date], date | None]


@dataclass(frozen=True)
class Checked:
    """What pass one found: documents and lines that are new, and what cannot be taken."""

    rows: int
    invoices: int
    credit_memos: int
    notes: int
    lines: int
    here: int
    bad_rows: int
    left_out: int
    is_broken: bool

    @property
    def documents(self) -> int:
        """How many documents are to be written."""
        return self.invoices + self.credit_memos + self.notes


def check(
    db: Database, spool: Spool, path: Path, mapping: MappingFile, now: datetime, told: Told
) -> Checked:
    """Pass one: read and judge the whole file; the database is only asked what it has.

    Raises HistoryFileWrong when the file cannot be read with this mapping.
    """
    rows = 0
    for found in history.read(path, mapping, now, lambda done, all: told("Reading", done, all)):
        rows += 1
        if isinstance(found, Bad):
            spool.refuse(found)
        else:
            spool.add(found)
    spool.sum_up()
    _compare(db, spool, mapping, told)
    return Checked(
        rows=rows,
        invoices=spool.documents("new", Kind.INVOICE),
        credit_memos=spool.documents("new", Kind.CREDIT_MEMO),
        notes=spool.documents("new", Kind.NOTE),
        lines=spool.lines("new"),
        here=spool.documents("here"),
        bad_rows=spool.bad_count(),
        left_out=spool.left_out(),
        is_broken=spool.is_broken(),
    )


def _compare(db: Database, spool: Spool, mapping: MappingFile, told: Told) -> None:
    done, whole = 0, spool.lines("read")
    for page in spool.pages("read"):
        with db.reading() as session:
            here = documents.known(session, mapping, [draft.number for draft in page])
        spool.judge(documents.judge(mapping, draft, here.get(draft.number)) for draft in page)
        done += sum(len(draft.lines) for draft in page)
        told("Comparing", done, whole)


def write(
    db: Database,
    spool: Spool,
    source: str,
    mapping: MappingFile,
    settled_on: SettledOn,
    clock: Clock,
    told: Told,
) -> None:
    """Pass two: write what is new, page by page, each page in a transaction of its own.

    ``source`` names the file in the audit log. Raises EntityDiffers, and OtherContent when somebody
    else brought in the same number meanwhile.
    """
    whole = spool.lines("new")
    if not whole:
        return
    entity_id = db.run_tx(lambda session: _open(session, spool, source, mapping, clock.now()))
    done = 0
    for page in spool.pages("new"):
        work = _Page(entity_id, mapping, page, settled_on, clock.now())
        db.run_tx(work.write)
        crash.point("import.page_written")
        done += sum(len(draft.lines) for draft in page)
        told("Writing", done, whole)


def _open(
    session: Session, spool: Spool, source: str, mapping: MappingFile, now: datetime
) -> uuid.UUID:
    wanted = mapping.legal_entity
    entity, is_new = external.entity(
        session,
        external.NewEntity(
            wanted.code,
            wanted.name,
            wanted.country,
            wanted.currency,
            wanted.time_zone,
            wanted.address,
        ),
    )
    if is_new:
        chart.open_chart(session, entity.id)
    audit.write(
        session,
        now,
        "system",
        "history_import_began",
        ("legal_entity", str(entity.id)),
        file=source,
        series=mapping.series,
        documents=spool.documents("new"),
        lines=spool.lines("new"),
    )
    return entity.id


@dataclass(frozen=True)
class _Page:
    """One page of documents on its way into the books. ``write`` may run more than once."""

    entity_id: uuid.UUID
    mapping: MappingFile
    drafts: list[Draft]
    settled_on: SettledOn
    now: datetime

    def write(self, session: Session) -> None:
        entity = external.lock_entity(session, self.entity_id)
        numbers = [draft.number for draft in self.drafts]
        fresh = documents.fresh(self.drafts, documents.known(session, self.mapping, numbers))
        named = self.mapping.accounts
        accounts = external.accounts(
            session,
            entity,
            {draft.ref: named.name_of(draft.ref) for draft in fresh},
            named.kind,
            self.now,
        )
        payers = {ref: Payer(one.id, one.number, one.name) for ref, one in accounts.items()}
        posted = documents.write(
            session,
            self.mapping,
            Biller(entity.id, entity.name, tuple(entity.address)),
            [(draft, payers[draft.ref]) for draft in fresh],
        )
        past = [
            Past(
                cast(Literal["invoice", "credit_memo"], kind),
                document,
                self.settled_on(document.issue_date),
            )
            for kind, document in posted
            if kind != Kind.NOTE
        ]
        past_ledger.bring_in(session, past, self.now)
