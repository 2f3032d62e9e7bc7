"""The field for a code, and the QR code of a secret."""

from typing import Any

import segno
from markupsafe import Markup
from wtforms import Form, StringField
from wtforms.validators import InputRequired, Length

from flows.second_step import Shown


class CodeForm(Form):
    """Six digits from a telephone, or a recovery code."""

    code = StringField(
        "Code",
        [
            InputRequired("Type the six digits that your app shows."),
            Length(max=40, message="A code is shorter than that."),
        ],
    )


def drawn(shown: Shown) -> dict[str, Any]:
    """What the set-up page shows: the secret as a picture and in groups of four letters."""
    picture = segno.make(shown.address, error="m").svg_inline(
        svgclass="qr", lineclass=None, omitsize=True, border=4, light="#fff"
    )
    groups = [shown.secret[at : at + 4] for at in range(0, len(shown.secret), 4)]
    return {"qr": Markup(picture), "secret": " ".join(groups)}  # noqa: S704  # drawn by us
