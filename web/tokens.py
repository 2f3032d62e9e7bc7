"""Tokens for programs as pages show them: the customer's own in the account, the desk's keys at the desk."""

from datetime import date
from typing import Any

from wtforms import DateField, Form, SelectMultipleField, StringField
from wtforms.validators import Optional
from wtforms.widgets import CheckboxInput, ListWidget

from core.parties import tokens
from core.parties.models import User
from core.parties.token_models import ApiToken
from core.parties.tokens import NewToken
from web.documents import State

_STATES = {
    "works": State("go", "Works"),
    "expired": State("", "Expired"),
    "revoked": State("bad", "Revoked"),
}


class TokenForm(Form):
    """A token that is wanted."""

    name = StringField("Name")
    scopes = SelectMultipleField(
        "What it may do", widget=ListWidget(prefix_label=False), option_widget=CheckboxInput()
    )
    expires_on = DateField("Ends on", [Optional()])

    def offer(self, kind: str) -> None:
        """The scopes that there are."""
        self.scopes.choices = list(tokens.SCOPES[kind].items())

    def wanted(self, kind: str) -> NewToken:
        """As the room takes it; what is wrong, it says by field."""
        return NewToken(
            kind, self.name.data or "", tuple(self.scopes.data or ()), self.expires_on.data
        )


def form_for(kind: str, data: Any = None) -> TokenForm:
    """The form with the scopes of ``kind``."""
    form = TokenForm(data)
    form.offer(kind)
    return form


def row(token: ApiToken, maker: User, base: str, today: date) -> dict[str, Any]:
    """One token in a list; ``base`` is the path of the list."""
    state = tokens.state(token, today)
    words = tokens.SCOPES[token.kind]
    return {
        "name": token.name,
        "beginning": token.beginning,
        "scopes": [words.get(scope, scope) for scope in token.scopes],
        "made_at": token.created_at,
        "maker": maker.name,
        "last_used_on": token.last_used_on,
        "expires_on": token.expires_on,
        "state": _STATES[state],
        "revoke_href": f"{base}/{token.public_id}/revoke" if state == "works" else "",
    }
