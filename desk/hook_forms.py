"""The form of a webhook's endpoint, and how endpoints and deliveries look on pages."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from wtforms import Form, SelectField, SelectMultipleField, StringField
from wtforms.widgets import CheckboxInput, ListWidget

from core.hooks.deliveries import Listed
from core.hooks.endpoints import Wish
from core.hooks.kinds import ALL, KINDS
from core.hooks.models import HookDelivery, HookEndpoint
from core.parties.models import Channel
from web.documents import State

#: What stands in the address for a state of deliveries, and its words.
TABS = {"waiting": "Waiting", "delivered": "Taken", "failed": "Failed", "dropped": "Not sent"}
DELIVERY = {
    "waiting": State("wait", "Waiting"),
    "delivered": State("go", "Taken"),
    "failed": State("bad", "Failed"),
    "dropped": State("", "Not sent"),
}


class EndpointForm(Form):
    """An endpoint that is wanted."""

    name = StringField("Name")
    url = StringField("Address")
    channel = SelectField("Channel")
    kinds = SelectMultipleField(
        "What it is told of",
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )

    def wanted(self) -> Wish:
        """As the core takes it; what is wrong, it says by field."""
        return Wish(
            self.url.data or "",
            self.name.data or "",
            tuple(self.kinds.data or ()),
            self.channel.data or "",
        )


def form_for(session: Session, data: Any = None, row: HookEndpoint | None = None) -> EndpointForm:
    """The form; of an endpoint that is there with what it has."""
    channels = session.execute(select(Channel.id, Channel.code, Channel.name)).all()
    form = EndpointForm(data)
    form.kinds.choices = [(ALL, "Everything, and what comes later"), *KINDS.items()]
    form.channel.choices = [("", "Every channel"), *((code, name) for _, code, name in channels)]
    if row is not None and data is None:
        form.name.data, form.url.data, form.kinds.data = row.name, row.url, list(row.kinds)
        form.channel.data = next((code for key, code, _ in channels if key == row.channel_id), "")
    return form


def state(row: HookEndpoint) -> State:
    """How an endpoint does, in a word or two."""
    if row.state != "on":
        words = "Off: nothing was taken for days" if row.off_because == "failing" else "Off"
        return State("bad" if row.off_because == "failing" else "", words)
    return State("wait", "On, last try failed") if row.failing_since else State("go", "On")


def endpoint(row: HookEndpoint, counts: dict[str, int]) -> dict[str, Any]:
    """One endpoint in the list and on its page."""
    return {
        "name": row.name,
        "url": row.url,
        "href": f"/desk/webhooks/{row.public_id}",
        "kinds": "everything" if ALL in row.kinds else ", ".join(row.kinds),
        "state": state(row),
        "is_on": row.state == "on",
        "failed": counts.get("failed", 0) + counts.get("dropped", 0),
        "waiting": counts.get("waiting", 0),
        "taken": counts.get("delivered", 0),
        "created_at": row.created_at,
        "failing_since": row.failing_since if row.state == "on" else None,
        "old_until": row.old_until,
    }


def delivery(found: Listed, base: str) -> dict[str, Any]:
    """One delivery in the list."""
    row, last = found.row, found.last
    return {
        "kind": found.message.kind,
        "href": f"{base}/sent/{row.public_id}",
        "again_action": f"{base}/sent/{row.public_id}/again",
        "state": DELIVERY[row.state],
        "attempts": row.attempts,
        "created_at": row.created_at,
        "next_at": row.next_at if row.state == "waiting" else None,
        "said": "" if last is None else (last.trouble or f"answered {last.status}"),
        "took_ms": None if last is None else last.took_ms,
        "round": row.round,
    }


def is_again(row: HookDelivery) -> bool:
    """Was it sent again by hand?"""
    return row.round > 1
