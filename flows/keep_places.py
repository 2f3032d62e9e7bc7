"""Staff keep the places that pieces come from; in the audit log."""

import re
from dataclasses import asdict, replace

from sqlalchemy.orm import Session

from core.kernel import audit
from core.kernel.errors import Invalid
from core.stock import places
from core.stock.models import Location
from core.stock.places import MOST, Stands
from flows.house import House

_CODE = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_COUNTRY = re.compile(r"[A-Z]{2}|")
_POSTAL = re.compile(r"[A-Z0-9][A-Z0-9 -]{0,19}|")


def open_place(house: House, code: str, where: Stands, actor: str) -> Location:
    """Have another place; nothing is there yet. Raises Invalid by field."""
    where = _checked(where, {} if _CODE.fullmatch(code) else {"code": _CODE_WORDS})

    def work(session: Session) -> Location:
        if len(places.every(session)) >= MOST:
            raise Invalid({"code": f"At most {MOST} places."})
        row = places.open_place(session, code, where)
        if row is None:
            raise Invalid({"code": "There is a place with this code already."})
        now = house.clock.now()
        audit.write(session, now, actor, "place.opened", ("place", code), **asdict(where))
        return row

    return house.db.run_tx(work)


def change_place(house: House, code: str, where: Stands, actor: str) -> Location:
    """Another name, or it stands somewhere else. What is held or sold stays where it is.

    Raises NotFound, and Invalid by field.
    """
    where = _checked(where, {})

    def work(session: Session) -> Location:
        row = places.by_code(session, code, lock=True)
        before = {name: getattr(row, name) for name in asdict(where)}
        for name, value in asdict(where).items():
            setattr(row, name, value)
        session.flush()
        now, after = house.clock.now(), asdict(where)
        if before != after:
            changes = {"before": before, "after": after}
            audit.write(session, now, actor, "place.changed", ("place", code), **changes)
        return row

    return house.db.run_tx(work)


_CODE_WORDS = "Small letters, digits and hyphens, such as mill-street."


def _checked(where: Stands, wrong: dict[str, str]) -> Stands:
    """As it is kept. Raises Invalid by field."""
    found = replace(
        where,
        name=" ".join(where.name.split()),
        country=where.country.strip().upper(),
        region=" ".join(where.region.split()),
        postal_prefix=where.postal_prefix.strip().upper(),
        address=" ".join(where.address.split()),
        hours=" ".join(where.hours.split()),
    )
    if found.country == "US":
        found = replace(found, region=found.region.upper())
    if not 0 < len(found.name) <= 200 or not found.name.isprintable():
        wrong["name"] = "Give it a name of at most 200 characters."
    if not _COUNTRY.fullmatch(found.country):
        wrong["country"] = "Give the country as two letters, such as US."
    if len(found.region) > 40 or not found.region.isprintable():
        wrong["region"] = "At most 40 characters."
    if not _POSTAL.fullmatch(found.postal_prefix):
        wrong["postal_prefix"] = "How the postal codes around it begin, such as 430."
    if not found.country and (found.region or found.postal_prefix):
        wrong.setdefault("country", "Say in which country that is.")
    for name, longest in (("address", 300), ("hours", 200)):
        text = getattr(found, name)
        if len(text) > longest or not text.isprintable():
            wrong[name] = f"At most {longest} characters."
    if not -1000 <= found.priority <= 1000:
        wrong["priority"] = "From -1000 to 1000."
    if wrong:
        raise Invalid(wrong)
    return found
