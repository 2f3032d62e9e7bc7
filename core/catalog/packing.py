"""Putting pieces into a bundle, for staff. Called by ``flows.keep_prices``."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from core.catalog.models import BundleComponent, Variant
from core.kernel.errors import Invalid

MOST_PIECES = 12
_MAY_BE_IN = ("physical", "digital", "service", "plan")
_MOST_OF_A_PLAN = 10


@dataclass(frozen=True)
class Wanted:
    """So many of a SKU; ``weight`` is its part of what is paid for its charge kind."""

    sku: str
    quantity: int
    weight: int


def pack(session: Session, bundle: Variant, pieces: Sequence[Wanted]) -> None:
    """These are in it from now on, in this order. Raises Invalid by ``<number>.<field>``."""
    rows = session.scalars(select(Variant).where(Variant.sku.in_([one.sku for one in pieces])))
    found = {row.sku: row for row in rows}
    _check(pieces, found)
    session.execute(delete(BundleComponent).where(BundleComponent.bundle_id == bundle.id))
    for position, one in enumerate(pieces, start=1):
        session.add(
            BundleComponent(
                bundle_id=bundle.id,
                component_id=found[one.sku].id,
                component_kind=found[one.sku].kind,
                position=position,
                quantity=one.quantity,
                weight=one.weight,
            )
        )
    session.flush()


def _check(pieces: Sequence[Wanted], found: dict[str, Variant]) -> None:
    wrong: dict[str, str] = {}
    seen: set[str] = set()
    for at, one in enumerate(pieces):
        row = found.get(one.sku)
        if row is None:
            wrong[f"{at}.sku"] = "Nothing is sold under this SKU."
        elif row.kind not in _MAY_BE_IN:
            wrong[f"{at}.sku"] = "A bundle holds no bundle and no gift card."
        elif one.sku in seen:
            wrong[f"{at}.sku"] = "It is in it already: change its quantity."
        most = _MOST_OF_A_PLAN if row is not None and row.kind == "plan" else 99
        if not 1 <= one.quantity <= most:
            wrong[f"{at}.quantity"] = f"From 1 to {most}."
        if not 0 <= one.weight <= 1_000_000:
            wrong[f"{at}.weight"] = "A whole number, such as what it costs by itself."
        seen.add(one.sku)
    if not 1 <= len(pieces) <= MOST_PIECES:
        wrong["0.sku"] = f"From one piece to {MOST_PIECES}."
    if wrong:
        raise Invalid(wrong)
