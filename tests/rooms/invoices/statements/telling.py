"""An account on which things happen day by day, and the statements that are made of it."""

import uuid
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from cart import address
from core.kernel.clock import local_date
from core.kernel.ids import new_id
from core.kernel.money import Money
from core.ledger import business, chargebacks, items
from core.ledger.chargebacks import Chargeback
from core.ledger.models import OpenItem
from core.parties.models import Account
from invoices.statements import making
from invoices.statements.document import StatementDocument
from invoices.statements.making import Outside
from invoices.statements.models import Statement
from tests.rooms.ledger.books import document, receipt
from tests.world import ZONE, World

OUTSIDE = Outside(
    lambda public_id: f"https://fernway.example.com/account/statements/{public_id}",
    address.lines,
    lambda _session, keys: dict.fromkeys(keys, ("P-10001", "Visa ending 4242")),
)


def at_noon(day: date) -> datetime:
    """Noon at Fernway's."""
    return datetime.combine(day, time(12), ZoneInfo(ZONE))


def dollars(text: str) -> Money:
    """An amount of USD."""
    return Money.parse(text, "USD")


class Telling:
    """Writes on the books of a world at a day's noon, in the session of the caller."""

    def __init__(self, session: Session, world: World, day: date) -> None:
        self.session, self.world, self.day = session, world, day

    @property
    def now(self) -> datetime:
        return at_noon(self.day)

    def charge(
        self,
        account: Account,
        amount: Money,
        *,
        on: date | None = None,
        due_in: int = 14,
        number: str = "100001",
    ) -> uuid.UUID:
        """A bill; answers its item."""
        on = on or self.day
        issued = document(
            self.world, account.id, amount, on=on, due=on + timedelta(days=due_in), number=number
        )
        found = business.charge(self.session, issued, self.now)
        assert found is not None
        return found

    def pay(
        self,
        account: Account,
        amount: Money,
        bills: Sequence[uuid.UUID] = (),
        *,
        on: date | None = None,
    ) -> uuid.UUID:
        """A payment for bills; what no bill takes is unapplied. Answers its key."""
        came = receipt(self.world, account.id, amount, on=on or self.day)
        wanted = [(items.get(self.session, bill), amount) for bill in bills]
        business.receive_for_items(self.session, came, wanted, self.now)
        return came.payment_id

    def credit(self, account: Account, amount: Money, *, on: date | None = None) -> None:
        """A credit memo that stands alone."""
        memo = document(self.world, account.id, amount, on=on or self.day)
        business.credit_customer(self.session, memo, self.now)

    def deposit(self, account: Account, amount: Money) -> uuid.UUID:
        """Money taken for an order; answers its item."""
        came = receipt(self.world, account.id, amount, on=self.day)
        return business.receive_for_order(self.session, came, uuid.uuid4(), self.now)

    def use(self, held: uuid.UUID, bill: uuid.UUID, amount: Money) -> None:
        """A deposit or credit pays a bill."""
        both = (items.get(self.session, held), items.get(self.session, bill))
        business.use_credit(self.session, *both, amount, self.day, self.now)

    def use_all_credit(self, account: Account, bill: uuid.UUID) -> None:
        """Whatever is held for the account pays a bill, as far as it goes."""
        for held in items.held_for(self.session, [account.id]):
            part = min(held.open, items.get(self.session, bill).open)
            if part.minor > 0:
                self.use(held.id, bill, part)

    def charge_back(self, payment_id: uuid.UUID, amount: Money) -> None:
        """The bank takes a payment back."""
        taken = Chargeback(new_id(), payment_id, amount, Money.zero(amount.currency))
        chargebacks.begin(self.session, taken, self.day, self.now)

    def refund(self, account: Account, amount: Money) -> None:
        """Unused credit goes back."""
        (held,) = (
            one
            for one in items.held_for(self.session, [account.id])
            if one.open.minor >= amount.minor
        )
        business.refund_credit(self.session, held, amount, new_id(), self.day, self.now)

    def state(self, account: Account, currency: str = "USD") -> list[Statement]:
        """Every statement that is due on this day."""
        today = local_date(self.now, account.time_zone)
        made = []
        while one := making.make_next(self.session, account.id, currency, today, OUTSIDE, self.now):
            made.append(one)
        return made


def read(statement: Statement) -> StatementDocument:
    """Its frozen document."""
    return StatementDocument.from_dict(statement.document)


def all_of(session: Session, account: Account) -> list[Statement]:
    """The account's statements, the oldest first."""
    return list(
        session.scalars(
            select(Statement)
            .where(Statement.account_id == account.id)
            .order_by(Statement.currency, Statement.sequence)
        )
    )


def open_items(session: Session, account: Account) -> list[items.Open]:
    """What the account owes."""
    return items.find(session, OpenItem.account_id == account.id, OpenItem.side == "debit")
