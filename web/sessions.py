"""Server-side sessions: a random token in the cookie, its hash and the data in the database.

A row begins with the first POST that has something to remember; a GET never writes one. The row is read
only when somebody asks for what is in it. The token changes at log-in.
"""

import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from flask import Flask, Request, Response, request
from flask.sessions import SessionInterface, SessionMixin
from sqlalchemy import delete, insert, update
from sqlalchemy.orm import Session

from core.kernel.ids import new_token, token_hash
from core.parties import users
from core.parties.models import User, UserSession
from web.context import house, web_settings
from web.csrf import SAFE_METHODS

LIFE = timedelta(days=14)


class StoredSession(SessionMixin):
    """A session that is read at first use."""

    def __init__(self, token: str | None) -> None:
        self.token = token
        self.found = False
        self.rotating = False
        self.modified = False
        self.accessed = False
        #: Who was logged in when it was read.
        self.user: User | None = None
        self._data: dict[str, Any] | None = {} if token is None else None

    def _values(self) -> dict[str, Any]:
        self.accessed = True
        if self._data is None:
            self._data = self._read()
        return self._data

    def _read(self) -> dict[str, Any]:
        assert self.token is not None
        with house().db.reading() as session:
            found = users.session_of(session, token_hash(self.token))
        self.found = found is not None and found[0].expires_at > house().clock.now()
        if found is None or not self.found:
            return {}
        self.user = found[1]
        return dict(found[0].data)

    def __getitem__(self, key: str) -> Any:
        return self._values()[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._values()[key] = value
        self.modified = True

    def __delitem__(self, key: str) -> None:
        del self._values()[key]
        self.modified = True

    def __iter__(self) -> Iterator[str]:
        return iter(self._values())

    def __len__(self) -> int:
        return len(self._values())

    def rotate(self) -> None:
        """Go on under a new token; the old one opens nothing any more."""
        self._values()
        self.rotating = True
        self.modified = True


class DatabaseSessions(SessionInterface):
    """Keeps sessions in ``user_session``."""

    def get_cookie_name(self, app: Flask) -> str:
        return "__Host-session" if web_settings().secure else "session"

    def open_session(self, app: Flask, request: Request) -> StoredSession:
        return StoredSession(request.cookies.get(self.get_cookie_name(app)))

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        assert isinstance(session, StoredSession)
        if session.accessed:
            response.vary.add("Cookie")
        if not session.modified:
            return
        if request.method in SAFE_METHODS:
            raise RuntimeError(f"a {request.method} would write a session")
        house().db.run_tx(lambda tx: self._store(tx, session))
        if not session:
            # A name with __Host- is only taken back by a cookie that is secure itself.
            response.delete_cookie(
                self.get_cookie_name(app),
                path="/",
                secure=web_settings().secure,
                httponly=True,
                samesite="Lax",
            )
            return
        response.set_cookie(
            self.get_cookie_name(app),
            session.token or "",
            max_age=int(LIFE.total_seconds()),
            httponly=True,
            secure=web_settings().secure,
            samesite="Lax",
            path="/",
        )

    def _store(self, tx: Session, session: StoredSession) -> None:
        data = dict(session)
        stays = session.found and not session.rotating and bool(data)
        if session.found and not stays and session.token is not None:
            tx.execute(
                delete(UserSession).where(UserSession.token_hash == token_hash(session.token))
            )
        if not data:
            session.token = None
            return
        user_id = user_id_of(data)
        if stays and session.token is not None:
            tx.execute(
                update(UserSession)
                .where(UserSession.token_hash == token_hash(session.token))
                .values(data=data, user_id=user_id)
            )
            return
        now = house().clock.now()
        session.token = new_token()
        tx.execute(
            insert(UserSession).values(
                token_hash=token_hash(session.token),
                user_id=user_id,
                data=data,
                created_at=now,
                expires_at=now + LIFE,
            )
        )


def user_id_of(data: dict[str, Any]) -> uuid.UUID | None:
    """The key of the user who is logged in, from a session's data."""
    found = data.get("_user_id")
    return uuid.UUID(found) if found else None
