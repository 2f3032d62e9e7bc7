"""The demo's people. All of them are invented."""

import textwrap
import uuid
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from core.parties import accounts, moves, users
from core.parties.accounts import NewAccount
from core.parties.models import Account, Channel, LegalEntity
from core.tax import exemptions
from core.tax.exemptions import NewExemption


def place(
    name: str,
    line1: str,
    phone: str,
    city: str = "Tarnbrook",
    region: str = "OH",
    postal_code: str = "43099",
) -> dict[str, str]:
    """An address, as a checkout has it."""
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
    """Somebody of the demo. Without a password they do not log in; without an account number they are a
    guest."""

    name: str
    email: str
    address: dict[str, str] = field(hash=False)
    password: str | None = field(default=None, repr=False)
    account_number: str | None = None
    #: Statements come on the day of the month that was so many days before the demo opens.
    stated_ago: int = 2
    #: What they do at the desk; nothing: they are no staff.
    roles: tuple[str, ...] = ()
    #: Of exemption from tax on backup, which ends soon.
    certificate: str | None = None
    #: Has an account of this name, an organisation, in place of one of their own.
    firm: str = ""
    #: What a visitor finds when they log in as them.
    shows: str = ""

    @property
    def is_staff(self) -> bool:
        """Do they work at the desk?"""
        return bool(self.roles)


def _customer(name: str, number: str, line1: str, phone: str, *where: str) -> Person:
    """Somebody with an account who does not log in."""
    email = f"{name.split()[0].lower()}@example.com"
    return Person(name, email, place(name, line1, phone, *where), account_number=number)


def _asker(name: str, email: str, line1: str, phone: str, *where: str) -> Person:
    """Somebody who asks for a quote and has no account."""
    return Person(name, f"{email}@example.com", place(name, line1, phone, *where))


MARA = Person(
    "Mara Hollis",
    "mara@example.com",
    place("Mara Hollis", "8 Weir Cottages", "555-0142"),
    password="weir-cottages-8",
    account_number="204187751",
    stated_ago=5,
    shows="a line that went from Stream to River and rested once, a phone, a trial of Burrow that ends next "
    "week, bills: some are paid, some to pay, a payment that is planned, and a card that expires",
)
OTIS = Person(
    "Otis Fell",
    "otis@example.com",
    place("Otis Fell", "21 Mill Lane", "555-0167"),
    password="mill-lane-21",
    account_number="318640275",
    stated_ago=1,
    certificate="OH-2041-77",
    shows="a quote in two versions to compare and accept, a change of plan that lies ahead, usage that came "
    "late, the boat yard's line that he pays for, a bill that is overdue, some credit, and a gift card: its "
    "code is in a mail of yesterday",
)
DESK = Person(
    "Ines Calder",
    "desk@example.com",
    place("Ines Calder", "1 Ferry Street", "555-0100"),
    password="ferry-street-1",
    roles=("admin",),
    shows="the desk, as an admin: services, whom to call about their trial, quotes, bill runs and who is "
    "parked, orders, bills, payments, jobs",
)
SECOND_DESK = Person(
    "Tobin Marsh",
    "tobin@example.com",
    place("Tobin Marsh", "1 Ferry Street", "555-0100"),
    password="ferry-street-2",
    roles=("sales",),
    shows="the desk, for sales: a quote of hers waits for his approval",
)
CONTENT_DESK = Person(
    "Wim Ferrier",
    "wim@example.com",
    place("Wim Ferrier", "1 Ferry Street", "555-0100"),
    password="ferry-street-3",
    roles=("content",),
    shows="the desk, for what the shop's pages say",
)
BILLING_DESK = Person(
    "Adela Rook",
    "adela@example.com",
    place("Adela Rook", "1 Ferry Street", "555-0100"),
    password="ferry-street-4",
    roles=("billing",),
    shows="the desk, for bills, payments and the books",
)
SUPPORT_DESK = Person(
    "Kit Osier",
    "kit@example.com",
    place("Kit Osier", "1 Ferry Street", "555-0100"),
    password="ferry-street-5",
    roles=("support",),
    shows="the desk, for helping customers: their services, orders and bills",
)
#: Guests: they buy without an account.
NELL = Person("Nell Ashby", "nell@example.com", place("Nell Ashby", "3 Kiln Yard", "555-0118"))
_ALDERFORD = ("Alderford", "IN", "47399")
ROSA = Person(
    "Rosa Quill",
    "rosa@example.com",
    place("Rosa Quill", "14 Canal Street", "555-0173", *_ALDERFORD),
)
#: Customers with services. Tessa is Otis's daughter; what she orders is the boat yard's.
TESSA = replace(
    _customer("Tessa Fell", "318640911", "2 Quay Street", "555-0169"), firm="Fell Boat Yard"
)
HANNE = _customer("Hanne Orr", "477120386", "5 Chapel Row", "555-0121")
SILAS = _customer("Silas Brandt", "530918264", "40 Lock Road", "555-0136", *_ALDERFORD)
SANNA = _customer("Sanna Birch", "619037745", "17 Orchard Close", "555-0184")
JORY = _customer("Jory Teal", "702556418", "9 Station Terrace", "555-0150")
#: Who tries Burrow, or did.
JUNO = _customer("Juno Pike", "811460273", "6 Heron Walk", "555-0111")
IVO = _customer("Ivo Lark", "823907516", "31 Mill Lane", "555-0125")
BRAM = _customer("Bram Sedge", "834115902", "12 Fern Bank", "555-0160")
CORA = _customer("Cora Finch", "845602137", "2 Ropewalk", "555-0178")
PIET = _customer("Piet Alder", "856731940", "55 Canal Street", "555-0193", *_ALDERFORD)
WREN = _customer("Wren Tolley", "867294851", "1 Slate Steps", "555-0107")
LENA = _customer("Lena Moss", "878350264", "24 Weir Cottages", "555-0139")
#: Who lets a card pay: one whose does, and one whose bank says that there is too little money on it.
VERA = _customer("Vera Holt", "889012647", "18 Ferry Street", "555-0131")
ABEL = _customer("Abel Crane", "890457213", "5 Lock Road", "555-0155")
#: Who does not pay in time.
EDDA = _customer("Edda Wray", "901733264", "17 Fern Bank", "555-0149")
TAM = _customer("Tam Brook", "912604385", "8 Ropewalk", "555-0197")
RUNA = _customer("Runa Thorpe", "923581407", "3 Slate Steps", "555-0170")
#: Who asks for quotes.
IMKE = _asker("Imke Hale", "imke", "3 Paddock Road", "555-0112")
ALMA = _asker("Alma Stead", "alma", "School Lane", "555-0126")
JONNA = _asker("Jonna Weir", "jonna", "10 Market Square", "555-0144")
PELL = _asker("Pell Harrow", "pell", "7 Kiln Yard", "555-0158")
DORA = _asker("Dora Marsh", "dora", "Riverside Meadow", "555-0181")

WITH_LOGIN = (MARA, OTIS, DESK, SECOND_DESK, CONTENT_DESK, BILLING_DESK, SUPPORT_DESK)
CUSTOMERS = (
    *(TESSA, HANNE, SILAS, SANNA, JORY, JUNO, IVO, BRAM, CORA, PIET, WREN, LENA),
    *(VERA, ABEL, EDDA, TAM, RUNA),
)
#: How long a certificate is good for that ends soon after the demo opens.
CERTIFICATE_DAYS = 40


def passwords() -> dict[str, str]:
    """The hashes by e-mail address. Takes a moment: call it outside a transaction."""
    return {one.email: users.hash_password(one.password or "") for one in WITH_LOGIN}


def move_in(
    session: Session,
    entity: LegalEntity,
    channel: Channel,
    hashes: dict[str, str],
    now: datetime,
    opens: datetime,
) -> None:
    """Everybody who can log in and every customer, with their accounts, at the beginning of the history."""
    for one in (*WITH_LOGIN, *CUSTOMERS):
        user = users.add(session, one.email, one.name, hashes.get(one.email), now)
        if user is None:
            raise ValueError(f"{one.email} is somebody already")
        user.is_staff, user.roles = one.is_staff, list(one.roles)
        user.email_verified_at = now
        if one.account_number is None:
            continue
        account = _open(session, entity, channel, one, now)
        account.bill_day = (opens - timedelta(days=one.stated_ago)).day
        accounts.join(session, user.id, account.id, "owner", now)
        if one.certificate is not None:
            ends = opens + timedelta(days=CERTIFICATE_DAYS)
            new = _free(account.id, one.certificate, now, ends)
            exemptions.enter(session, new, "system", now)
    session.flush()
    _put_yard(session)


def editor(session: Session) -> str:
    """Who writes the pages, as the audit log names them."""
    user = users.find(session, CONTENT_DESK.email)
    assert user is not None  # moved in with the others
    return f"user:{user.id}"


def _open(
    session: Session, entity: LegalEntity, channel: Channel, one: Person, now: datetime
) -> Account:
    kind = "organisation" if one.firm else "person"
    new = NewAccount(one.firm or one.name, one.email, one.address, kind=kind)
    account = accounts.open_account(session, entity, channel, new, now)
    account.number = one.account_number or account.number
    return account


def _put_yard(session: Session) -> None:
    """The boat yard stands under Otis, and on his statements."""
    yard = accounts.by_number(session, TESSA.account_number or "")
    otis = accounts.by_number(session, OTIS.account_number or "")
    moves.set_parent(session, yard.id, otis.id)
    moves.state_with_parent(session, yard.id, True)


def _free(account_id: uuid.UUID, number: str, now: datetime, ends: datetime) -> NewExemption:
    return NewExemption(
        account_id, number, ("Ohio",), ("backup",), now.date(), ends.date(), "cabinet 2"
    )


def logins(base_url: str) -> str:
    """What the demo says about who can log in, and where."""
    lines = ["Log in as"]
    for one in WITH_LOGIN:
        where = f"{base_url}/desk/login" if one.is_staff else f"{base_url}/account/login"
        lines.append(f"  {one.email:<18}{one.password:<18}{where}")
        words = textwrap.wrap(f"{one.name}: {one.shows}", 76)
        lines += [f"  {'':<18}{line}" for line in words]
    lines.append("Pay with 4242 4242 4242 4242, any date ahead, any three digits.")
    return "\n".join(lines) + "\n"
