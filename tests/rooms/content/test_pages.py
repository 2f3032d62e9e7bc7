"""Pages are drafted, published now or later, withdrawn, brought back; nobody writes over anybody."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from cms_content import checks, pages, publishing, reading, segments
from cms_content import writing as room
from cms_content.blocks import Content
from cms_content.models import ContentPage, PageVersion
from cms_content.pages import NewPage
from cms_content.publishing import ScheduledAlready, Unfinished, Window
from cms_content.segments import Rule, Segment
from core.kernel.clock import ManualClock
from core.kernel.db import Database
from core.kernel.errors import Invalid, NotFound, StaleState
from tests.world import World

ANN, KIM = "user:ann", "user:kim"
DAY = timedelta(days=1)
AT_ONCE = Window()


def said(title: str, text: str = "Words.") -> Content:
    return checks.read({"title": title, "blocks": [{"kind": "text", "text": text}]})


@dataclass
class Writing:
    """Somebody who writes one page."""

    db: Database
    clock: ManualClock
    world: World
    public_id: str = ""

    def begin(self, slug: str = "spring", segment: str = "", kind: str = "landing") -> "Writing":
        new = NewPage(kind, slug, "en_US", segment, slug.title())
        with self.db.transaction() as session:
            page = pages.create(session, self.world.channel_id, new, ANN, self.clock.now())
            return Writing(self.db, self.clock, self.world, page.public_id)

    def save(self, content: Content, revision: int = 0, actor: str = ANN) -> int:
        with self.db.transaction() as session:
            row = room.draft(session, self.public_id, actor, self.clock.now())
            at = revision or row.revision
            return room.save(session, self.public_id, content, at, actor, self.clock.now()).revision

    def publish(self, window: Window = AT_ONCE, revision: int = 0) -> int:
        with self.db.transaction() as session:
            row = room.draft(session, self.public_id, ANN, self.clock.now())
            at = revision or row.revision
            return publishing.publish(
                session, self.public_id, at, window, ANN, self.clock.now()
            ).number

    def read(self, slug: str = "spring") -> list[str]:
        with self.db.reading() as session:
            live, _ = reading.live(session, self.world.channel_id, slug, self.clock.now())
            return sorted(one.content.title for one in live)

    def states(self) -> list[tuple[int, str]]:
        with self.db.reading() as session:
            found = pages.versions(session, pages.one(session, self.public_id))
            return [(one.number, one.state) for one in found]

    def change(self, act: Callable[..., object], *given: object) -> None:
        with self.db.transaction() as session:
            act(session, self.public_id, *given, ANN, self.clock.now())


@pytest.fixture
def writing(db: Database, clock: ManualClock, world: World) -> Writing:
    return Writing(db, clock, world).begin()


def test_nobody_reads_a_page_before_it_is_published(writing: Writing):
    writing.save(said("Spring"))
    assert writing.read() == []
    assert writing.publish() == 1
    assert writing.read() == ["Spring"]


def test_what_is_published_stays_while_the_next_is_written(writing: Writing):
    writing.save(said("First"))
    writing.publish()
    writing.save(said("Second"))
    assert writing.read() == ["First"]
    assert writing.states() == [(2, "draft"), (1, "published")]
    writing.publish()
    assert writing.read() == ["Second"]
    assert writing.states() == [(2, "published"), (1, "retired")]


def test_an_unfinished_page_is_saved_but_not_published(writing: Writing):
    half = checks.read(
        {
            "title": "Half",
            "blocks": [
                {"kind": "hero"},
                {"kind": "hero", "title": "T", "button_label": "Go"},
                {"kind": "faq", "items": [{"question": "Why?"}]},
                {"kind": "picture", "picture": "media:" + "0" * 32},
            ],
        }
    )
    writing.save(half)
    with pytest.raises(Unfinished) as refused:
        writing.publish()
    assert set(refused.value.lacks) == {
        "blocks.0.title",
        "blocks.1.button_href",
        "blocks.2.items.0.answer",
        "blocks.3.picture",
    }
    assert writing.read() == []


def test_the_second_of_two_who_write_is_told_and_nothing_is_lost(writing: Writing):
    revision = writing.save(said("Start"))
    writing.save(said("Kim's"), revision, KIM)
    with pytest.raises(StaleState):
        writing.save(said("Ann's"), revision, ANN)
    with pytest.raises(StaleState):
        writing.publish(revision=revision)
    writing.change(room.save_over, said("Ann's"), revision + 1)
    with writing.db.reading() as session:
        page = pages.one(session, writing.public_id)
        found = [(v.state, v.content["title"]) for v in pages.versions(session, page)]
    assert found == [("draft", "Ann's"), ("set_aside", "Kim's")]


def test_a_scheduled_version_is_read_from_its_time_on_without_a_worker(writing: Writing):
    writing.save(said("Now"))
    writing.publish()
    writing.save(said("Later"))
    writing.publish(Window(writing.clock.now() + DAY))
    assert writing.read() == ["Now"]
    writing.clock.advance(DAY)
    assert writing.read() == ["Later"]
    assert writing.states() == [(2, "scheduled"), (1, "published")]
    with writing.db.transaction() as session:
        assert publishing.settle_due(session, writing.clock.now()) == 1
        assert publishing.settle_due(session, writing.clock.now()) == 0
    assert writing.states() == [(2, "published"), (1, "retired")]
    assert writing.read() == ["Later"]


def test_a_version_that_ends_is_read_no_longer(writing: Writing):
    now = writing.clock.now()
    writing.save(said("For a day"))
    with pytest.raises(Invalid):
        writing.publish(Window(now + DAY, now + DAY))
    writing.publish(Window(None, now + DAY))
    with writing.db.reading() as session:
        assert reading.live(session, writing.world.channel_id, "spring", now)[1] == now + DAY
    writing.clock.advance(DAY)
    assert writing.read() == []


def test_one_version_waits_at_a_time_and_can_be_taken_back(writing: Writing):
    writing.save(said("Later"))
    writing.publish(Window(writing.clock.now() + DAY))
    writing.save(said("Later still"))
    with pytest.raises(ScheduledAlready):
        writing.publish(Window(writing.clock.now() + 2 * DAY))
    writing.change(publishing.take_back)
    writing.clock.advance(DAY)
    assert writing.read() == []
    assert writing.states() == [(2, "draft"), (1, "set_aside")]


def test_publishing_after_a_schedule_has_come_follows_it(writing: Writing):
    writing.save(said("Came by itself"))
    writing.publish(Window(writing.clock.now() + DAY))
    writing.clock.advance(2 * DAY)
    writing.save(said("By hand"))
    writing.publish()
    assert writing.read() == ["By hand"]
    assert writing.states() == [(2, "published"), (1, "retired")]


def test_an_older_version_comes_back_and_the_draft_is_kept(writing: Writing):
    writing.save(said("First"))
    writing.publish()
    writing.save(said("Second"))
    writing.publish()
    writing.save(said("Being written"))
    writing.change(room.bring_back, 1)
    assert writing.states() == [
        (4, "draft"),
        (3, "set_aside"),
        (2, "published"),
        (1, "retired"),
    ]
    writing.publish()
    assert writing.read() == ["First"]


def test_a_withdrawn_page_is_read_by_nobody(writing: Writing):
    writing.save(said("First"))
    writing.publish()
    writing.change(publishing.withdraw)
    assert writing.read() == []
    with pytest.raises(StaleState):
        writing.change(publishing.withdraw)


def test_an_address_is_taken_once_for_the_same_readers(writing: Writing):
    with pytest.raises(Invalid):
        writing.begin()
    with pytest.raises(NotFound):
        writing.begin(segment="nobody")
    with pytest.raises(Invalid):
        writing.begin("home")
    rule = Segment("sale", "Sale", 1, Rule(campaigns=("sale",)))
    with writing.db.transaction() as session:
        segments.add(session, writing.world.channel_id, rule, ANN, writing.clock.now())
    writing.begin(segment="sale")
    with pytest.raises(Invalid), writing.db.transaction() as session:
        segments.remove(session, writing.world.channel_id, "sale", ANN, writing.clock.now())


def test_the_database_keeps_one_published_version_and_what_was_said(writing: Writing):
    writing.save(said("First"))
    writing.publish()
    writing.save(said("Second"))
    now = writing.clock.now()
    for refused in (
        "UPDATE content_version SET content = '{\"title\": \"Else\"}' WHERE state = 'published'",
        "DELETE FROM content_version WHERE state = 'draft'",
    ):
        with pytest.raises(DBAPIError), writing.db.transaction() as session:
            session.execute(text(refused))
    with pytest.raises(DBAPIError), writing.db.transaction() as session:
        session.query(PageVersion).filter(PageVersion.state == "draft").update(
            {"state": "published", "goes_live_at": now}
        )
    twice = {"kind": "landing", "slug": "spring", "locale": "en_US", "name": "Again"}
    with pytest.raises(DBAPIError), writing.db.transaction() as session:
        session.add(ContentPage(channel_id=writing.world.channel_id, created_at=now, **twice))


def test_pages_of_many_are_read_by_address(writing: Writing):
    for slug in ("alpha", "beta"):
        other = writing.begin(slug)
        other.save(said(slug))
        other.publish()
    with writing.db.reading() as session:
        now, channel = writing.clock.now(), writing.world.channel_id
        first = reading.all_live(session, channel, now, limit=1)
        then = reading.all_live(session, channel, now, after="alpha")
    assert [one.slug for one in first] == ["alpha"]
    assert [one.slug for one in then] == ["beta"]
