"""Getting in: registering, passwords, and the links that mails carry. Hashing stands outside transactions."""

from sqlalchemy.orm import Session

from core.events import LinkAsked
from core.kernel import audit, jobs
from core.kernel.errors import Invalid
from core.parties import accounts, users
from core.parties.accounts import NewAccount
from core.parties.models import Account, LinkToken, User
from core.parties.users import DeadLink
from flows.house import House


def log_in(house: House, email: str, password: str) -> User:
    """The user whom this password belongs to. Raises WrongLogin, always after the same time."""
    with house.db.reading() as session:
        found = users.find(session, email)
    return users.verify_login(found, password)


def register(house: House, email: str, name: str, password: str) -> User:
    """A new user with an account of their own; a mail asks them to confirm the address.

    Raises Invalid for a password that is too easy or an address that is taken.
    """
    users.check_password(password, email)
    hashed = users.hash_password(password)
    return house.db.run_tx(lambda session: register_within(session, house, email, name, hashed)[0])


def register_within(
    session: Session, house: House, email: str, name: str, hashed: str
) -> tuple[User, Account]:
    """The same in the caller's transaction, with the password's hash; answers their account too."""
    now = house.clock.now()
    channel, entity = accounts.channel_by_code(session, house.rules.channel)
    user = users.add(session, email, name, hashed, now)
    if user is None:
        raise Invalid({"email": "There is an account with this e-mail already. Log in instead."})
    account = accounts.open_account(session, entity, channel, NewAccount(name, user.email), now)
    accounts.join(session, user.id, account.id, "owner", now)
    send_link(session, house, "verify", user)
    audit.write(session, now, f"user:{user.id}", "user.registered", ("user", user.public_id))
    return user, account


def send_link(session: Session, house: House, purpose: str, user: User) -> None:
    """Have a mail written with a link for this purpose."""
    now = house.clock.now()
    link_id = users.new_link(session, purpose, user.id, now)
    jobs.record(session, LinkAsked(link_id), now, key=f"link:{link_id}", priority=1)


def ask_reset(house: House, email: str) -> None:
    """Send a link for a new password; for an unknown address nothing happens, and nobody is told."""

    def write(session: Session) -> None:
        user = users.find(session, email)
        if user is not None and user.disabled_at is None:
            send_link(session, house, "reset", user)

    house.db.run_tx(write)


def who_asked(house: House, purpose: str, token: str) -> User:
    """Whose link this is. Raises DeadLink."""
    with house.db.reading() as session:
        link = _read(session, house, purpose, token)
        return session.get_one(User, link.user_id)


def choose_password(house: House, purpose: str, token: str, password: str) -> User:
    """Set the password by a link (``reset`` or ``invite``), which proves the address as well.

    Ends every session of the user. Raises DeadLink, or Invalid for a password that is too easy.
    """
    owner = who_asked(house, purpose, token)
    users.check_password(password, owner.email)
    hashed = users.hash_password(password)

    def write(session: Session) -> User:
        now = house.clock.now()
        link = _read(session, house, purpose, token)
        users.use_link(session, link.id, now)
        users.set_password(session, link.user_id, hashed)
        user = session.get_one(User, link.user_id)
        user.email_verified_at = user.email_verified_at or now
        audit.write(
            session, now, f"user:{user.id}", f"password.{purpose}", ("user", user.public_id)
        )
        return user

    return house.db.run_tx(write)


def verify_email(house: House, token: str) -> None:
    """Confirm an address. Raises DeadLink."""

    def write(session: Session) -> None:
        now = house.clock.now()
        link = _read(session, house, "verify", token)
        users.use_link(session, link.id, now)
        session.get_one(User, link.user_id).email_verified_at = now

    house.db.run_tx(write)


def _read(session: Session, house: House, purpose: str, token: str) -> LinkToken:
    link = users.read_link(session, house.links.secret, purpose, token, house.clock.now())
    if session.get_one(User, link.user_id).disabled_at is not None:
        raise DeadLink
    return link
