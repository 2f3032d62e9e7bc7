"""Staff keep price lists, what things cost on each, and what is in a bundle; all of it in the audit log.

A list holds for everybody within its window; of several the one with the highest priority goes first
(``core.prices.resolve``).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from core.catalog import editing, packing
from core.catalog.models import BUNDLE
from core.catalog.packing import Wanted
from core.kernel import audit
from core.kernel.errors import Invalid, NotFound
from core.parties import accounts
from core.prices import setting
from core.prices.bundles import CHARGE_KINDS
from core.prices.models import PriceList
from flows.house import House
from flows.keep_things import micros_of

_CODE = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_MOST_LISTS = 100


@dataclass(frozen=True)
class NewList:
    """A price list in the shop's currency, from a time on and until one, if it says so."""

    code: str
    priority: int
    valid_from: datetime | None = None
    valid_to: datetime | None = None


def open_list(house: House, new: NewList, actor: str) -> PriceList:
    """Have another list; nothing is on it yet. Raises Invalid by field."""
    wrong: dict[str, str] = {}
    if not _CODE.fullmatch(new.code):
        wrong["code"] = "Small letters, digits and hyphens, such as spring."
    if not -1000 <= new.priority <= 1000:
        wrong["priority"] = "From -1000 to 1000."
    if new.valid_from and new.valid_to and new.valid_to <= new.valid_from:
        wrong["valid_to"] = "It cannot end before it begins."
    if wrong:
        raise Invalid(wrong)

    def work(session: Session) -> PriceList:
        channel, _ = accounts.channel_by_code(session, house.rules.channel)
        if setting.by_code(session, new.code) is not None:
            raise Invalid({"code": "There is a list with this code already."})
        if len(setting.lists(session, channel.id, channel.currency)) >= _MOST_LISTS:
            raise Invalid({"code": f"At most {_MOST_LISTS} lists."})
        row = PriceList(
            code=new.code,
            currency=channel.currency,
            channel_id=channel.id,
            priority=new.priority,
            valid_from=new.valid_from,
            valid_to=new.valid_to,
        )
        session.add(row)
        session.flush()
        now = house.clock.now()
        audit.write(session, now, actor, "price_list.opened", ("price_list", new.code))
        return row

    return house.db.run_tx(work)


def end_list(house: House, code: str, actor: str) -> None:
    """It holds no more from now on. Raises NotFound, and Invalid for the one that always holds."""

    def work(session: Session) -> None:
        now, row = house.clock.now(), _list(session, house, code)
        channel, _ = accounts.channel_by_code(session, house.rules.channel)
        if row.id == setting.base_list(session, channel.id, channel.currency).id:
            raise Invalid(
                {"code": "The shop sells by this list when no other one holds. It stays."}
            )
        row.valid_from = min(row.valid_from, now) if row.valid_from is not None else None
        row.valid_to = min(row.valid_to, now) if row.valid_to is not None else now
        session.flush()
        audit.write(session, now, actor, "price_list.ended", ("price_list", code))

    house.db.run_tx(work)


def _list(session: Session, house: House, code: str) -> PriceList:
    """A list for everybody on this channel. NotFound for any other."""
    channel, _ = accounts.channel_by_code(session, house.rules.channel)
    for row in setting.lists(session, channel.id, channel.currency):
        if row.code == code:
            return row
    raise NotFound("price list")


def price(
    house: House,
    sku: str,
    code: str,
    text: str,
    actor: str,
    *,
    min_quantity: int = 1,
    charge_kind: str = "",
) -> None:
    """What one costs on a list from so many on, or of a bundle for a charge kind; "": nothing on it.

    What was ordered keeps its price. Raises NotFound and Invalid.
    """
    micros = micros_of(text) if text.strip() else None
    if not 1 <= min_quantity <= 1_000_000:
        raise Invalid({"min_quantity": "From 1 on."})

    def work(session: Session) -> None:
        row, book = editing.variant(session, sku, lock=True), _list(session, house, code)
        told: dict[str, Any] = {"list": code, "price": micros}
        if row.kind == BUNDLE:
            if charge_kind not in CHARGE_KINDS:
                raise Invalid({"charge_kind": "Once, monthly or yearly."})
            before = setting.set_bundle_price(session, book, row.id, charge_kind, micros)
            told["charge_kind"] = charge_kind
        else:
            before = setting.set_price(session, book, row.id, micros, min_quantity)
            told["min_quantity"] = min_quantity
        now = house.clock.now()
        audit.write(
            session, now, actor, "variant.priced", ("variant", sku), price_before=before, **told
        )

    house.db.run_tx(work)


def pack(house: House, sku: str, pieces: Sequence[Wanted], actor: str) -> None:
    """Put pieces into a bundle, in place of those it has. Carts are priced anew; what was ordered stays.

    Raises NotFound for what is no bundle, and Invalid by ``<number>.<field>``.
    """

    def work(session: Session) -> None:
        row = editing.variant(session, sku, lock=True)
        if row.kind != BUNDLE:
            raise NotFound("bundle")
        packing.pack(session, row, pieces)
        now = house.clock.now()
        audit.write(session, now, actor, "bundle.packed", ("variant", sku), pieces=len(pieces))

    house.db.run_tx(work)
