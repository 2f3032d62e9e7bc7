"""The inbox: what the processor tells us is stored once and answered at once; work follows later.

Nothing in an event is trusted but its ids: whoever applies it fetches the object as it stands now.
"""

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from core.events import InboundReceived
from core.kernel import jobs
from core.kernel.db import insert_once
from payments.gateway import WebhookEvent
from payments.models import InboundEvent


def receive(session: Session, event: WebhookEvent, now: datetime) -> bool:
    """Store a verified event and ask for it to be applied; False when it came before."""
    fresh = insert_once(
        session,
        InboundEvent,
        event_id=event.id,
        type=event.type[:80],
        object_type=event.object_type,
        object_id=event.object_id,
        state="received",
        created_at=event.created,
        received_at=now,
    )
    if fresh:
        jobs.record(session, InboundReceived(event.id), now, key=f"inbound:{event.id}", priority=2)
    return fresh


def close(session: Session, event_id: str, state: str, now: datetime) -> None:
    """Mark an event ``applied`` or ``ignored``."""
    session.execute(
        update(InboundEvent)
        .where(InboundEvent.event_id == event_id)
        .values(state=state, applied_at=now)
    )
