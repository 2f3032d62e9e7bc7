"""The shop's forms. What is missing is asked of ``cart.checkout``, not of the form."""

from wtforms import BooleanField, Form, HiddenField, RadioField, SelectField, StringField
from wtforms.fields import SelectChoice

from cart.address import US_STATES


class CheckoutForm(Form):
    """Who, where, how."""

    name = StringField("Full name")
    phone = StringField("Phone, for the driver")
    email = StringField("E-mail")
    line1 = StringField("Street and number")
    line2 = StringField("Flat, floor, company")
    city = StringField("Town")
    region = SelectField(
        "State",
        choices=[SelectChoice("", "Choose"), *map(SelectChoice, sorted(US_STATES))],
        validate_choice=False,
    )
    postal_code = StringField("ZIP code")
    country = SelectField("Country", choices=[], validate_choice=False)
    vat_id = StringField("VAT id, for a business")
    shipping_method = RadioField("Delivery", choices=[], validate_choice=False)
    gift_card = StringField("Gift card code")
    use_credit = BooleanField("Use my credit")
    payment_method = RadioField("Way of paying", choices=[], validate_choice=False)
    expected_total = HiddenField()


class AddressForm(Form):
    """Who somebody is, and where."""

    name = StringField("Full name")
    phone = StringField("Phone")
    line1 = StringField("Street and number")
    line2 = StringField("Flat, floor, company")
    city = StringField("Town")
    region = SelectField(
        "State",
        choices=[SelectChoice("", "Choose"), *map(SelectChoice, sorted(US_STATES))],
        validate_choice=False,
    )
    postal_code = StringField("ZIP code")
    country = SelectField("Country", choices=[], validate_choice=False)


class GiftCardForm(Form):
    """A code, to be told what is left on the card."""

    code = StringField("Gift card code")
