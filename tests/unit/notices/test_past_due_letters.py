"""Mails about what is past due: its services are told as one tells things."""

from datetime import date

import pytest

from core.notices.past_due_letters import PastDueLetter
from core.notices.rendering import render
from core.notices.samples.everyday import HEAD, LINK, usd
from tests.unit.notices.test_rendering import _Read


@pytest.mark.parametrize(
    "services, said",
    [
        (("Stream 18",), "Stream 18 will be locked"),
        (("Stream 18", "Phone"), "Stream 18 and Phone will be locked"),
        (("Stream 18", "Phone", "Burrow"), "Stream 18, Phone and Burrow will be locked"),
    ],
)
def test_services_are_told_as_a_list(services: tuple[str, ...], said: str):
    since, lock_on = date(2026, 11, 2), date(2026, 12, 2)
    mail = render(
        PastDueLetter(
            HEAD, "Riley", LINK, "first", "204187751", usd(100), since, (), services, lock_on
        )
    )
    assert said in " ".join(mail.text.split())
    assert said in " ".join(_Read(mail.html).text.split())
