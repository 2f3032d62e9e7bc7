"""Pages move and move back: old addresses lead straight to where a page is read, never in circles."""

import pytest

from cms_content import addresses, pages, redirects
from cms_content.models import ContentRedirect
from cms_content.pages import NewPage
from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.kernel.errors import Invalid
from tests.world import World

ANN = "user:ann"


def leads(db: Database) -> dict[str, str]:
    with db.reading() as session:
        return {row.source: row.target for row in session.query(ContentRedirect)}


def test_old_addresses_lead_straight_to_the_new_one_and_back_again(
    db: Database, clock: ManualClock, world: World
):
    now = clock.now()

    def begin(slug: str, locale: str = "en_US", kind: str = "page") -> str:
        with db.transaction() as session:
            new = NewPage(kind, slug, locale, "", slug)
            return pages.create(session, world.channel_id, new, ANN, now).public_id

    def move(public_id: str, slug: str) -> int:
        with db.transaction() as session:
            return len(addresses.move(session, public_id, slug, ANN, now))

    spring, home = begin("spring"), begin("", kind="home")
    begin("spring", "de_DE")
    with db.transaction() as session:
        for source, target in (("/sale", "/pages/spring#top"), ("/x", "/pages/springs")):
            redirects.add(session, world.channel_id, source, target, True, ANN, now)
    assert move(spring, "summer") == 2, "its variants move along"
    assert move(spring, "summer") == 0
    move(spring, "autumn")
    elsewhere = {"/x": "/pages/springs"}
    assert leads(db) == elsewhere | {
        "/sale": "/pages/autumn#top",
        "/pages/spring": "/pages/autumn",
        "/pages/summer": "/pages/autumn",
    }
    with db.reading() as session:
        led = addresses.given_up(session, world.channel_id, "/pages/autumn")
    assert {row.source for row in led} == {"/pages/spring", "/pages/summer"}
    move(spring, "spring")
    assert leads(db) == elsewhere | {
        "/sale": "/pages/spring#top",
        "/pages/summer": "/pages/spring",
        "/pages/autumn": "/pages/spring",
    }
    begin("other")
    refused = (
        (spring, "other"),
        (spring, "home"),
        (spring, "terms"),
        (home, "front"),
        (spring, "A b"),
    )
    for public_id, slug in refused:
        with pytest.raises(Invalid):
            move(public_id, slug)
