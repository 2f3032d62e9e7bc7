"""The desk's form about a customer: how they are called, and where they are."""

from wtforms import BooleanField, HiddenField, SelectField, StringField
from wtforms.fields import SelectChoice

from core.parties.models import Account
from flows.keep_customer import Details
from web.place_forms import PlaceForm

PLACE = ("line1", "line2", "city", "region", "postal_code", "country", "phone")


class CustomerForm(PlaceForm):
    """What is wrong with it the flow says."""

    name = StringField("Name")
    kind = SelectField(
        "What they are",
        choices=[
            SelectChoice("person", "A person"),
            SelectChoice("organisation", "An organisation"),
        ],
    )
    email = StringField("E-mail", description="Bills and notices go there.")
    phone = StringField("Phone")
    country = StringField("Country", description="Two letters, such as US.")
    needs_purchase_order = BooleanField("No order without a number of their own")
    once = HiddenField()
    seen = HiddenField()

    def details(self) -> Details:
        """As it was typed."""
        place = {part: str(self[part].data or "").strip() for part in PLACE}
        return Details(
            self.name.data or "",
            self.email.data or "",
            self.kind.data or "",
            place,
            bool(self.needs_purchase_order.data),
        )


def filled(account: Account) -> dict[str, str | bool]:
    """What the form shows of a customer."""
    place = {part: str((account.billing_address or {}).get(part) or "") for part in PLACE}
    told = {"name": account.name, "kind": account.kind, "email": account.email or ""}
    return {**place, **told, "needs_purchase_order": account.needs_purchase_order}
