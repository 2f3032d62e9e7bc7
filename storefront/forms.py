"""The shop's forms. What is missing is asked of ``cart.checkout``, not of the form."""

from wtforms import BooleanField, Form, HiddenField, RadioField, SelectField, StringField

from web.place_forms import PlaceForm


class CheckoutForm(PlaceForm):
    """Who, where, how."""

    name = StringField("Full name")
    phone = StringField("Phone, for the driver")
    email = StringField("E-mail")
    country = SelectField("Country", choices=[], validate_choice=False)
    vat_id = StringField("VAT id, for a business")
    purchase_order = StringField("Your order number")
    cost_centre = StringField("Cost centre")
    shipping_method = RadioField("Delivery", choices=[], validate_choice=False)
    gift_card = StringField("Gift card code")
    use_credit = BooleanField("Use my credit")
    payment_method = RadioField("Way of paying", choices=[], validate_choice=False)
    expected_total = HiddenField()


class AddressForm(PlaceForm):
    """Who somebody is, and where."""

    name = StringField("Full name")
    phone = StringField("Phone")
    country = SelectField("Country", choices=[], validate_choice=False)


class EstimateForm(Form):
    """Where it would go, as far as that tells what delivery and tax come to."""

    country = SelectField("Country", choices=[], validate_choice=False)
    postal_code = StringField("ZIP code")


class GiftCardForm(Form):
    """A code, to be told what is left on the card."""

    code = StringField("Gift card code")
