"""Rendering a statement once, and keeping its bytes under their hash."""

import uuid
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.events import StatementStored
from core.kernel import blobs as blob_rows
from core.kernel import crash, jobs
from core.kernel.blobs import Blobs
from core.kernel.clock import Clock
from core.kernel.db import Database, insert_once
from core.parties.models import Channel
from invoices import pdf, theme
from invoices.pdf import RenderedDocument
from invoices.statements.arrangement import STATEMENTS
from invoices.statements.document import StatementDocument
from invoices.statements.models import Statement, StoredStatement


def store(db: Database, blobs: Blobs, statement_id: uuid.UUID, clock: Clock) -> str:
    """Render and keep a statement; a second time answers the hash of the first.

    The bytes are written first, the row after; in between a crash leaves bytes that nobody names.
    """
    with db.reading() as session:
        existing = session.get(StoredStatement, statement_id)
        if existing is not None:
            return existing.sha256
        statement = session.get_one(Statement, statement_id)
        channel = session.get(Channel, statement.channel_id) if statement.channel_id else None
    look = theme.of_brand(channel.brand) if channel is not None else theme.PLAIN
    document = StatementDocument.from_dict(statement.document)
    rendered = pdf.render(document, theme=look, typesetting=STATEMENTS)
    crash.point("statement.rendered")
    blobs.put(rendered.bytes)
    crash.point("statement.bytes_written")
    return db.run_tx(lambda session: _note(session, statement_id, rendered, clock.now()))


def _note(
    session: Session, statement_id: uuid.UUID, rendered: RenderedDocument, now: datetime
) -> str:
    blob_rows.note(session, rendered.sha256, len(rendered.bytes), rendered.media_type, now)
    fresh = insert_once(
        session,
        StoredStatement,
        statement_id=statement_id,
        sha256=rendered.sha256,
        template_version=rendered.template_version,
        renderer_version=rendered.renderer_version,
        fonts_version=rendered.fonts_version,
        stored_at=now,
    )
    if fresh:
        event = StatementStored(str(statement_id), rendered.sha256)
        jobs.record(session, event, now, key=f"statement-stored:{statement_id}")
        return rendered.sha256
    return session.scalars(
        select(StoredStatement.sha256).where(StoredStatement.statement_id == statement_id)
    ).one()
