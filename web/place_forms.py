"""Where somebody is: the fields of an address that every form asks for alike."""

from wtforms import Form, SelectField, StringField
from wtforms.fields import SelectChoice

from cart.address import US_STATES


class PlaceForm(Form):
    """Street, town, state and code. What is wrong with them the flow or ``cart.checkout`` says."""

    line1 = StringField("Street and number")
    line2 = StringField("Flat, floor, company")
    city = StringField("Town")
    region = SelectField(
        "State",
        choices=[SelectChoice("", "Choose"), *map(SelectChoice, sorted(US_STATES))],
        validate_choice=False,
    )
    postal_code = StringField("ZIP code")
