"""Every mail can be looked at, as a page that runs nothing and in plain text."""

import re

from tests.rooms.web.looking import Page
from tests.rooms.web.stage import KIM, Stage


def test_every_mail_is_shown_both_ways(stage: Stage):
    kim, here = stage.browser(KIM), "/desk/content/mails"
    listed = kim.get(here)
    assert len(set(re.findall(rf'href="{here}/[a-z_-]+"', listed.text))) > 60
    assert "Was all well with order O-10001?" in Page(listed).text
    shown = kim.get(f"{here}/all-well")
    assert f'src="{here}/all-well/preview-mail"' in shown.text
    assert "You have had it for a few days now:" in Page(shown).text
    mail = kim.get(f"{here}/all-well/preview-mail")
    assert "Was all well?" in mail.text
    assert "sandbox" in mail.headers["Content-Security-Policy"]
    assert kim.get(f"{here}/no-such-mail").status_code == 404
