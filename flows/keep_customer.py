"""Staff open an account for a customer, or change how they are called and where they are."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from cart import address
from core.kernel import audit, idempotency
from core.kernel.errors import Invalid, StaleState
from core.kernel.ids import token_hash
from core.parties import accounts
from core.parties.accounts import NewAccount
from core.parties.models import Account
from core.parties.users import normal
from flows.house import House

_KINDS = ("person", "organisation")
_LONGEST_NAME, _LONGEST_EMAIL = 200, 254


@dataclass(frozen=True)
class Details:
    """How a customer is called, and where they are billed; an empty address is none.

    ``needs_purchase_order``: of an organisation, each order has to carry a number of its own; None: as it is.
    """

    name: str
    email: str
    kind: str = "person"
    place: Mapping[str, str] = field(default_factory=dict)
    needs_purchase_order: bool | None = None


def open_one(house: House, details: Details, actor: str, once: str) -> Account:
    """Open an account. Asked again under the same name it answers the same.

    Raises Invalid, by field, and KeyReused.
    """
    cleaned = _cleaned(details)

    def work(session: Session) -> Account:
        now = house.clock.now()
        wish = f"{cleaned.name}|{cleaned.email}"[:64]
        known = idempotency.begin(session, "customer", once, wish, now)
        if known is not None:
            return accounts.by_public_id(session, known.body["public_id"])
        channel, entity = accounts.channel_by_code(session, house.rules.channel)
        place = dict(cleaned.place) or None
        new = NewAccount(cleaned.name, cleaned.email or None, place, cleaned.kind)
        account = accounts.open_account(session, entity, channel, new, now)
        account.needs_purchase_order = bool(cleaned.needs_purchase_order)
        audit.write(session, now, actor, "account.opened", ("account", account.public_id))
        body = {"public_id": account.public_id}
        idempotency.finish(session, "customer", once, 201, body)
        return account

    return house.db.run_tx(work)


def change(
    house: House, public_id: str, details: Details, actor: str, seen: str | None = None
) -> Account:
    """Other words for a customer; what was billed keeps the old ones.

    ``seen`` is the ``mark`` of what somebody saw. Raises NotFound, Invalid, and StaleState.
    """
    cleaned = _cleaned(details)

    def work(session: Session) -> Account:
        account = accounts.lock(session, accounts.by_public_id(session, public_id).id)
        if seen is not None and seen != mark(account):
            raise StaleState("customer", "changed")
        account.name, account.kind = cleaned.name, cleaned.kind
        account.email = cleaned.email or None
        account.billing_address = dict(cleaned.place) or None
        needs = cleaned.needs_purchase_order
        if needs is not None or cleaned.kind == "person":
            account.needs_purchase_order = bool(needs)
        now = house.clock.now()
        audit.write(session, now, actor, "account.changed", ("account", account.public_id))
        session.flush()
        return account

    return house.db.run_tx(work)


def mark(account: Account) -> str:
    """Changes with what ``change`` changes."""
    place = sorted((account.billing_address or {}).items())
    told = [account.name, account.kind, account.email, place, account.needs_purchase_order]
    return token_hash(repr(told))


def _cleaned(details: Details) -> Details:
    found: dict[str, str] = {}
    name, email = " ".join(details.name.split()), normal(details.email)
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        found["name"] = "Tell us what they are called."
    if email and ("@" not in email[1:-1] or len(email) > _LONGEST_EMAIL or " " in email):
        found["email"] = "That is no e-mail address."
    if details.kind not in _KINDS:
        found["kind"] = "A person, or an organisation."
    place: dict[str, str] = {}
    if any(details.place.get(part) for part in ("line1", "city", "postal_code")):
        place = address.clean({**details.place, "name": name})
        found |= {key: text for key, text in address.problems(place).items() if key != "name"}
    if details.needs_purchase_order and details.kind == "person":
        found["needs_purchase_order"] = "Only an organisation has numbers of its own."
    if found:
        raise Invalid(found)
    return Details(name, email, details.kind, place, details.needs_purchase_order)
