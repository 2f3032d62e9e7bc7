"""Staff answer a dispute: with a credit by memo and words, over the limit by two of them."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from core.kernel.money import Money
from flows.correct_invoice import printing
from flows.house import House
from flows.open_dispute import Author
from flows.talk_about_dispute import held
from invoices.disputes import deciding, reading
from invoices.disputes.deciding import Decision, Preview


@dataclass(frozen=True)
class Answer:
    """How a dispute is answered. ``credit`` with its taxes; zero gives none."""

    credit: Money
    text: str


def preview(house: House, public_id: str, credit: Money) -> Preview:
    """The memo that this credit would make. Raises NotFound, CreditTooMuch, CreditTooSmall."""
    with house.db.snapshot() as session:
        dispute = reading.one(session, public_id)
        return deciding.preview(session, dispute, credit, house.rules.disputes.credit_limit)


def decide(house: House, public_id: str, answer: Answer, author: Author) -> str:
    """Answer it; the state that it is in now: ``resolved``, or ``waiting`` for a second person.

    Raises NotFound and what ``deciding.decide`` raises.
    """

    def work(session: Session) -> str:
        decision = Decision(answer.credit, answer.text, author.actor, author.user_id)
        done = deciding.decide(
            session,
            held(session, public_id, None),
            decision,
            house.rules.disputes.credit_limit,
            printing(house.links),
            house.clock.now(),
        )
        return done.state

    return house.db.run_tx(work)


def second(
    house: House, public_id: str, proposal_id: str, author: Author, *, approved: bool, note: str
) -> str:
    """A second person says yes, or gives it back; the state that it is in now.

    Raises NotFound and what ``deciding.second`` raises.
    """

    def work(session: Session) -> str:
        done = deciding.second(
            session,
            held(session, public_id, None),
            proposal_id,
            approved=approved,
            note=note,
            actor=author.actor,
            user_id=author.user_id,
            printing=printing(house.links),
            now=house.clock.now(),
        )
        return done.state

    return house.db.run_tx(work)
