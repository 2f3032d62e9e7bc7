"""Staff say how carts hold things; in the audit log. It counts for whatever is changed from then on."""

import uuid
from dataclasses import asdict
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from cart import hold_policies
from cart.hold_policies import LONGEST, MOST_ROWS, SEGMENTS, Row, Terms
from core.catalog.models import Product
from core.kernel import audit
from core.kernel.errors import Invalid
from core.parties.models import Channel
from flows.house import House


def put(house: House, product: str, segment: str, channel: str, terms: Terms, actor: str) -> Row:
    """Set what counts for a product (its slug), a kind of customer and a channel; "" is all of them.

    Raises Invalid by field.
    """
    wrong: dict[str, str] = {}
    if segment and segment not in SEGMENTS:
        wrong["segment"] = "Choose a kind of customer, or all."
    if not 1 <= terms.minutes <= LONGEST:
        wrong["minutes"] = f"From 1 to {LONGEST:,} minutes."
    if terms.most_for_one is not None and not 1 <= terms.most_for_one <= 10_000:
        wrong["most_for_one"] = "From 1 to 10,000, or nothing."
    if wrong:
        raise Invalid(wrong)

    def work(session: Session) -> Row:
        product_id = _id(session, select(Product.id).where(Product.slug == product), product)
        channel_id = _id(session, select(Channel.id).where(Channel.code == channel), channel)
        if product and product_id is None:
            raise Invalid({"product": "There is no product at this address."})
        if channel and channel_id is None:
            raise Invalid({"channel": "There is no such channel."})
        if len(hold_policies.every(session)) >= MOST_ROWS:
            raise Invalid({"product": f"At most {MOST_ROWS} of them."})
        key, before = hold_policies.put(session, product_id, segment, channel_id, terms)
        if before != terms:
            told = {"product": product, "segment": segment, "channel": channel}
            was = asdict(before) if before else None
            _write(session, house, actor, "set", key, **told, before=was, after=asdict(terms))
        return hold_policies.one(session, key)

    return house.db.run_tx(work)


def remove(house: House, policy_id: uuid.UUID, actor: str) -> None:
    """What is more general counts from now on. Raises NotFound."""

    def work(session: Session) -> None:
        hold_policies.remove(session, policy_id)
        _write(session, house, actor, "removed", policy_id)

    house.db.run_tx(work)


def _write(
    session: Session, house: House, actor: str, what: str, key: uuid.UUID, **detail: Any
) -> None:
    now, subject = house.clock.now(), ("hold_policy", str(key))
    audit.write(session, now, actor, f"hold_policy.{what}", subject, **detail)


def _id(session: Session, query: Any, wanted: str) -> uuid.UUID | None:
    found: uuid.UUID | None = session.scalar(query) if wanted else None
    return found
