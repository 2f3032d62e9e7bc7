"""Rendering an issued document once, and keeping its bytes under their hash."""

import uuid
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.events import DocumentStored
from core.kernel import blobs as blob_rows
from core.kernel import crash, jobs
from core.kernel.blobs import Blobs
from core.kernel.clock import Clock
from core.kernel.db import Database, insert_once
from core.parties.models import Channel
from invoices import pdf, theme
from invoices.document import InvoiceDocument
from invoices.models import Invoice, StoredDocument
from invoices.pdf import RenderedDocument


def store(db: Database, blobs: Blobs, invoice_id: uuid.UUID, clock: Clock) -> str:
    """Render and keep a document; a second time answers the hash of the first.

    The bytes are written first, the row after; in between a crash leaves bytes that nobody names.
    """
    with db.reading() as session:
        existing = stored(session, invoice_id)
        if existing is not None:
            return existing.sha256
        invoice = session.get_one(Invoice, invoice_id)
        channel = session.get(Channel, invoice.channel_id) if invoice.channel_id else None
    look = theme.of_brand(channel.brand) if channel is not None else theme.PLAIN
    rendered = pdf.render(InvoiceDocument.from_dict(invoice.document), theme=look)
    crash.point("store.rendered")
    blobs.put(rendered.bytes)
    crash.point("store.bytes_written")
    return db.run_tx(lambda session: _note(session, invoice_id, rendered, clock.now()))


def _note(
    session: Session, invoice_id: uuid.UUID, rendered: RenderedDocument, now: datetime
) -> str:
    blob_rows.note(session, rendered.sha256, len(rendered.bytes), rendered.media_type, now)
    fresh = insert_once(
        session,
        StoredDocument,
        invoice_id=invoice_id,
        sha256=rendered.sha256,
        template_version=rendered.template_version,
        renderer_version=rendered.renderer_version,
        fonts_version=rendered.fonts_version,
        stored_at=now,
    )
    if fresh:
        event = DocumentStored(str(invoice_id), rendered.sha256)
        jobs.record(session, event, now, key=f"stored:{invoice_id}")
        return rendered.sha256
    return session.scalars(
        select(StoredDocument.sha256).where(StoredDocument.invoice_id == invoice_id)
    ).one()


def stored(session: Session, invoice_id: uuid.UUID) -> StoredDocument | None:
    """Where a document's bytes are; None while they are not rendered."""
    return session.get(StoredDocument, invoice_id)
