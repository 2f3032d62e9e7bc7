"""The demo's people. All of them are invented."""

import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from core.parties import accounts, users
from core.parties.accounts import NewAccount
from core.parties.models import Channel, LegalEntity
from core.tax import exemptions
from core.tax.exemptions import NewExemption


def _place(
    name: str, line1: str, city: str, region: str, postal_code: str, phone: str
) -> dict[str, str]:
    return {
        "name": name,
        "phone": phone,
        "line1": line1,
        "line2": "",
        "city": city,
        "region": region,
        "postal_code": postal_code,
        "country": "US",
    }


@dataclass(frozen=True)
class Person:
    """Somebody of the demo. Without a password they are a guest; with an account number a customer."""

    name: str
    email: str
    address: dict[str, str]
    password: str | None = field(default=None, repr=False)
    account_number: str | None = None
    #: Statements come on the day of the month that was so many days after the history began.
    stated_on: int = 0
    is_staff: bool = False
    #: Of exemption from tax on backup, which ends soon.
    certificate: str | None = None
    #: What a visitor finds when they log in as them.
    shows: str = ""


MARA = Person(
    "Mara Hollis",
    "mara@example.com",
    _place("Mara Hollis", "8 Weir Cottages", "Tarnbrook", "OH", "43099", "555-0142"),
    password="weir-cottages-8",
    account_number="204187751",
    stated_on=25,
    shows="two bills to pay, and one that is paid",
)
OTIS = Person(
    "Otis Fell",
    "otis@example.com",
    _place("Otis Fell", "21 Mill Lane", "Tarnbrook", "OH", "43099", "555-0167"),
    password="mill-lane-21",
    account_number="318640275",
    stated_on=29,
    certificate="OH-2041-77",
    shows="a bill that is overdue, some credit, and a gift card: its code is in a mail of yesterday",
)
DESK = Person(
    "Ines Calder",
    "desk@example.com",
    _place("Ines Calder", "1 Ferry Street", "Tarnbrook", "OH", "43099", "555-0100"),
    password="ferry-street-1",
    is_staff=True,
    shows="the desk: orders, bills, payments, jobs",
)
SECOND_DESK = Person(
    "Tobin Marsh",
    "tobin@example.com",
    _place("Tobin Marsh", "1 Ferry Street", "Tarnbrook", "OH", "43099", "555-0100"),
    password="ferry-street-2",
    is_staff=True,
    shows="the second person at the desk, who approves what the first one asks for",
)
NELL = Person(
    "Nell Ashby",
    "nell@example.com",
    _place("Nell Ashby", "3 Kiln Yard", "Tarnbrook", "OH", "43099", "555-0118"),
)
ROSA = Person(
    "Rosa Quill",
    "rosa@example.com",
    _place("Rosa Quill", "14 Canal Street", "Alderford", "IN", "47399", "555-0173"),
)
WITH_LOGIN = (MARA, OTIS, DESK, SECOND_DESK)
#: Through the history, and then six weeks.
CERTIFICATE_DAYS = 100


def passwords() -> dict[str, str]:
    """The hashes by e-mail address. Takes a moment: call it outside a transaction."""
    return {one.email: users.hash_password(one.password or "") for one in WITH_LOGIN}


def move_in(
    session: Session, entity: LegalEntity, channel: Channel, hashes: dict[str, str], now: datetime
) -> None:
    """Everybody who can log in, with their accounts."""
    for one in WITH_LOGIN:
        user = users.add(session, one.email, one.name, hashes[one.email], now)
        if user is None:
            raise ValueError(f"{one.email} is somebody already")
        user.is_staff, user.email_verified_at = one.is_staff, now
        if one.account_number is not None:
            new = NewAccount(one.name, one.email, one.address)
            account = accounts.open_account(session, entity, channel, new, now)
            account.number = one.account_number
            account.bill_day = (now + timedelta(days=one.stated_on)).day
            accounts.join(session, user.id, account.id, "owner", now)
            if one.certificate is not None:
                exemptions.enter(session, _free(account.id, one.certificate, now), "system", now)
    session.flush()


def _free(account_id: uuid.UUID, number: str, now: datetime) -> NewExemption:
    first = now.date()
    ends = first + timedelta(days=CERTIFICATE_DAYS)
    return NewExemption(account_id, number, ("Ohio",), ("backup",), first, ends, "cabinet 2")


def logins(base_url: str) -> str:
    """What the demo says about who can log in, and where."""
    lines = ["Log in as"]
    for one in WITH_LOGIN:
        where = f"{base_url}/desk/login" if one.is_staff else f"{base_url}/account/login"
        lines.append(f"  {one.email:<18}{one.password:<18}{where}")
        lines.append(f"  {'':<18}{one.name}: {one.shows}")
    lines.append("Pay with 4242 4242 4242 4242, any date ahead, any three digits.")
    return "\n".join(lines) + "\n"
