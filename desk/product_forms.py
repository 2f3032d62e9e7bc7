"""The desk's forms about products: words and pictures, a thing with its SKU and price."""

from collections.abc import Sequence

from wtforms import (
    BooleanField,
    FileField,
    Form,
    HiddenField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.fields import SelectChoice

from core.catalog.editing import Words
from core.catalog.limits import Limits
from core.catalog.models import GIFT_CARD
from core.kernel.errors import Invalid
from core.prices.plans import Terms
from desk.content_media import DescribeForm
from flows.keep_things import NewThing

KINDS = {
    "physical": "A thing that is sent",
    "digital": "A download",
    "service": "Work: a visit, say",
    "plan": "A plan, paid again and again",
    "gift_card": "A gift card, worth what it costs",
    "bundle": "A bundle of other things",
}
_INTERVALS = {"month": "By the month", "year": "By the year"}
_ACTIVATIONS = {
    "by_hand": "When somebody has activated it",
    "at_once": "With the order",
    "by_system": "When the connected system has begun it",
}


class WordsForm(Form):
    """What is wrong with it the flow says."""

    name = StringField("Name")
    summary = StringField("In one line", description="Stands in lists, under the name.")
    description = TextAreaField("Description")
    category = SelectField("Shelf", validate_choice=False)
    seen = HiddenField()

    def words(self) -> Words:
        """As it was typed."""
        return Words(
            self.name.data or "",
            self.summary.data or "",
            self.description.data or "",
            self.category.data or "",
        )

    def offer(self, shelves: Sequence[tuple[str, str]]) -> None:
        """What there is to choose from."""
        self.category.choices = [SelectChoice("", "None"), *(SelectChoice(*one) for one in shelves)]


class ThingForm(Form):
    """A thing that is sold."""

    sku = StringField("SKU", description="Capitals, digits, hyphens: how papers and stock call it.")
    variant_name = StringField("Name", description="On bills and in carts.")
    kind = SelectField(
        "What it is", choices=[SelectChoice(key, text) for key, text in KINDS.items()]
    )
    tax_category = SelectField("Taxed as", validate_choice=False)
    price = StringField("Price of one", description="None for a bundle: it is set with its pieces.")
    interval = SelectField("Paid", choices=[SelectChoice(*one) for one in _INTERVALS.items()])
    activation = SelectField("Begins", choices=[SelectChoice(*one) for one in _ACTIVATIONS.items()])
    family = StringField(
        "Family", description="Plans of one family can be changed for each other: line"
    )
    features = StringField("What it gives", description="Apart by commas: internet, backup")
    once = HiddenField()

    def thing(self) -> NewThing:
        """As it was typed."""
        kind = self.kind.data or ""
        return NewThing(
            (self.sku.data or "").strip().upper(),
            " ".join((self.variant_name.data or "").split()),
            kind,
            kind if kind == GIFT_CARD else self.tax_category.data or "",
            self.price.data or "",
            self._terms() if kind == "plan" else None,
        )

    def _terms(self) -> Terms:
        features = (self.features.data or "").replace(",", " ").split()
        return Terms(
            self.interval.data or "",
            self.activation.data or "",
            (self.family.data or "").strip(),
            tuple(dict.fromkeys(features)),
        )


class NewForm(WordsForm, ThingForm):
    """A product with its first thing."""

    slug = StringField("Address", description="Small letters, digits, hyphens: /p/porch-camera.")
    pictures = SelectField(
        "Picture", validate_choice=False, description="Of the library; more of them can follow."
    )


class PictureForm(DescribeForm):
    """Another picture: one of the library, or one to be uploaded."""

    pictures = SelectField("Of the library", validate_choice=False)
    file = FileField("Picture")


class PriceForm(Form):
    """Another name or price of a thing, and whether it can be bought."""

    variant_name = StringField("Name")
    price = StringField("Price of one")
    quantity_step = StringField("In steps of", description="1: any number.")
    quantity_least = StringField("At least", description="At once.")
    quantity_most = StringField("At most", description="Empty: as many as a cart takes.")
    weight = StringField("Weight", description="Of one, in kilograms.")
    goes_by = StringField("Goes by", description="parcel; of work, visit.")
    active = BooleanField("Can be bought")

    def weight_g(self) -> int | None:
        """As it was typed, in grams; None when nothing was. Raises Invalid."""
        text = (self.weight.data or "").strip()
        if not text:
            return None
        whole, _, part = text.partition(".")
        if not (whole.isdecimal() and len(whole) < 6 and (not part or part.isdecimal())):
            raise Invalid({"weight": "A number, such as 0.4."})
        return round(float(text) * 1000)

    def limits(self) -> Limits:
        """As they were typed. Raises Invalid."""
        fields = (self.quantity_step, self.quantity_least, self.quantity_most)
        texts = [(field.data or "").strip() for field in fields]
        wrong = {
            field.short_name: "A whole number."
            for field, text in zip(fields, texts, strict=True)
            if text and not (text.isdecimal() and len(text) < 4)
        }
        if wrong:
            raise Invalid(wrong)
        return Limits(int(texts[0] or 1), int(texts[1] or 1), int(texts[2]) if texts[2] else None)
