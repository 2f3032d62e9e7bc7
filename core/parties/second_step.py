"""The second step of logging in at the desk: a code of the moment from a telephone, or a recovery code.

Codes are those of RFC 6238: six digits, thirty seconds. One step early or late is taken, for clocks that
differ; each code once. After ``MOST_WRONG`` wrong ones in a row the telephone's codes count no more: a
recovery code, or an admin, helps. Called by ``flows.second_step``.
"""

import hmac
import secrets
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import ClassVar

import pyotp
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from core.kernel.db import changed
from core.kernel.errors import ShopError
from core.kernel.sealing import Sealer
from core.parties.factor_models import RecoveryCode, SecondFactor

STEP_SECONDS = 30
#: How many steps a telephone's clock may be off, either way.
SKEW = 1
MOST_WRONG = 20
RECOVERY_CODES = 10
#: No 0, 1, i, l, o, u: nobody reads one for another.
_LETTERS = "23456789abcdefghjkmnpqrstvwxyz"
_LENGTH = 10


@dataclass(eq=False)
class WrongCode(ShopError):
    """The code is not the one of the moment, or it was used before."""

    code: ClassVar[str] = "wrong_code"
    text: ClassVar[str] = "That code is not right, or it was used already. Wait for the next one."


@dataclass(eq=False)
class TooManyWrongCodes(ShopError):
    """Somebody has guessed for long enough."""

    code: ClassVar[str] = "too_many_wrong_codes"
    text: ClassVar[str] = (
        "There were too many wrong codes. Use a recovery code, or ask an admin to reset your second step."
    )


class Secrets:
    """What the shop's secret is needed for: sealing, and hashing recovery codes so that the table alone
    is not enough to guess them."""

    def __init__(self, shop_secret: str) -> None:
        self.sealer = Sealer(shop_secret, "second step")
        self._key = f"recovery code:{shop_secret}".encode()

    def hashed(self, recovery_code: str) -> str:
        """What is stored of a recovery code."""
        return hmac.new(self._key, recovery_code.encode(), sha256).hexdigest()


def of(session: Session, user_id: uuid.UUID) -> SecondFactor | None:
    """Somebody's second step, confirmed or not."""
    return session.get(SecondFactor, user_id, populate_existing=True)


def is_set_up(session: Session, user_id: uuid.UUID) -> bool:
    """Does somebody have a telephone that has proved its secret?"""
    found = of(session, user_id)
    return found is not None and found.confirmed_at is not None


def set_up_by(session: Session, user_ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
    """Those of them who have."""
    return set(
        session.scalars(
            select(SecondFactor.user_id).where(
                SecondFactor.user_id.in_(user_ids), SecondFactor.confirmed_at.is_not(None)
            )
        )
    )


def begin(session: Session, keys: Secrets, user_id: uuid.UUID, now: datetime) -> None:
    """Give somebody a secret to put into their telephone, in place of one that was never confirmed."""
    if is_set_up(session, user_id):
        return
    session.execute(delete(SecondFactor).where(SecondFactor.user_id == user_id))
    sealed = keys.sealer.seal(pyotp.random_base32())
    session.add(SecondFactor(user_id=user_id, sealed_secret=sealed, created_at=now))
    session.flush()


def secret_of(row: SecondFactor, keys: Secrets) -> str:
    """The secret itself. Raises WrongCode when the shop's own secret has changed since: then an admin
    resets the second step."""
    found = keys.sealer.open(row.sealed_secret)
    if found is None:
        raise WrongCode
    return found


def address(secret: str, email: str, shop: str) -> str:
    """What the QR code holds: an ``otpauth`` address."""
    return pyotp.TOTP(secret, interval=STEP_SECONDS).provisioning_uri(name=email, issuer_name=shop)


def take(
    session: Session, keys: Secrets, user_id: uuid.UUID, typed: str, now: datetime
) -> str | None:
    """Use up a code: ``code`` or ``recovery`` when it was good, None when it wasn't, which is counted.

    Raises TooManyWrongCodes once there were too many in a row. It doesn't raise for a wrong one, so that
    the caller's transaction keeps the count.
    """
    row = of(session, user_id)
    if row is None:
        return None
    plain = "".join(typed.split()).replace("-", "").lower()
    if _take_recovery(session, keys, user_id, plain, now):
        _count(session, user_id, 0)
        return "recovery"
    if row.wrong_in_a_row >= MOST_WRONG:
        raise TooManyWrongCodes
    if _take_code(session, row, keys, plain, now):
        _count(session, user_id, 0)
        return "code"
    _count(session, user_id, row.wrong_in_a_row + 1)
    return None


def confirm(session: Session, user_id: uuid.UUID, now: datetime) -> None:
    """From now on it counts."""
    session.execute(
        update(SecondFactor)
        .where(SecondFactor.user_id == user_id, SecondFactor.confirmed_at.is_(None))
        .values(confirmed_at=now)
    )


def new_recovery_codes(
    session: Session, keys: Secrets, user_id: uuid.UUID, now: datetime
) -> list[str]:
    """Codes that each work once, in place of those there were. Nobody can read them again."""
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    codes = [
        "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH)) for _ in range(RECOVERY_CODES)
    ]
    session.add_all(
        RecoveryCode(user_id=user_id, code_hash=keys.hashed(code), created_at=now) for code in codes
    )
    session.flush()
    return [f"{code[:5]}-{code[5:]}" for code in codes]


def recovery_codes_left(session: Session, user_id: uuid.UUID) -> int:
    """How many of somebody's recovery codes still work."""
    rows = select(RecoveryCode.id).where(
        RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None)
    )
    return len(session.scalars(rows).all())


def reset(session: Session, user_id: uuid.UUID) -> bool:
    """Forget somebody's telephone and recovery codes; False when there were none."""
    if of(session, user_id) is None:
        return False
    session.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))
    session.execute(delete(SecondFactor).where(SecondFactor.user_id == user_id))
    return True


def _take_code(
    session: Session, row: SecondFactor, keys: Secrets, typed: str, now: datetime
) -> bool:
    sealed = keys.sealer.open(row.sealed_secret)
    if sealed is None or len(typed) != 6 or not (typed.isascii() and typed.isdigit()):
        return False
    totp, present = pyotp.TOTP(sealed, interval=STEP_SECONDS), int(now.timestamp()) // STEP_SECONDS
    for step in range(present - SKEW, present + SKEW + 1):
        if hmac.compare_digest(totp.generate_otp(step), typed):
            return _first_use(session, row.user_id, step)
    return False


def _first_use(session: Session, user_id: uuid.UUID, step: int) -> bool:
    """Of two who send the same code at once, one is let in."""
    return bool(
        changed(
            session.execute(
                update(SecondFactor)
                .where(SecondFactor.user_id == user_id, SecondFactor.last_step < step)
                .values(last_step=step)
                .execution_options(synchronize_session=False)
            )
        )
    )


def _take_recovery(
    session: Session, keys: Secrets, user_id: uuid.UUID, typed: str, now: datetime
) -> bool:
    if len(typed) != _LENGTH:
        return False
    return bool(
        changed(
            session.execute(
                update(RecoveryCode)
                .where(
                    RecoveryCode.user_id == user_id,
                    RecoveryCode.code_hash == keys.hashed(typed),
                    RecoveryCode.used_at.is_(None),
                )
                .values(used_at=now)
            )
        )
    )


def _count(session: Session, user_id: uuid.UUID, wrong: int) -> None:
    session.execute(
        update(SecondFactor)
        .where(SecondFactor.user_id == user_id)
        .values(wrong_in_a_row=wrong)
        .execution_options(synchronize_session=False)
    )
