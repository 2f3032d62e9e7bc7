"""Pages of content as people read them: whose variant, what may be kept, prices, words that stay words."""

import json
import re
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from cms_content import banners, media, menus, publishing, redirects
from cms_content.banners import Banner
from cms_content.menus import MenuLink, Place
from cms_content.models import ContentRedirect, MediaAsset
from cms_content.publishing import Window
from core.catalog.models import Product
from core.kernel import crash
from core.kernel.db import Database
from core.kernel.errors import Invalid
from core.kernel.ids import new_public_id
from flows import show_page
from flows.keep_picture import keep
from tests import contents
from tests import world as worlds
from tests.contents import ANN
from tests.rooms.web.looking import Page, statements
from tests.rooms.web.stage import RILEY, Browser, Stage
from web import content
from web.context import channel

KEPT, PRIVATE = "public, max-age=30", "no-store"
EVERY_KIND = (
    {"kind": "hero", "title": "Spring", "lede": "A lede.", "picture": "img/scenes/hero.svg"},
    {"kind": "text", "text": "# Head\n\nSome *words*."},
    {"kind": "products", "title": "Things", "category": "devices", "most": 4},
    {"kind": "products", "title": "Two", "rule": "chosen", "skus": ["FW-CAM-1", "FW-RT-6"]},
    {
        "kind": "prices",
        "title": "Speeds",
        "columns": [{"sku": "FW-RIVER-100", "figure": "100", "unit": "Mb", "points": ["Films"]}],
    },
    {"kind": "offer", "sku": "FW-RT-6"},
    {"kind": "feature", "title": "Burrow", "text": "Below **ground**."},
    {"kind": "video", "title": "How", "href": "https://www.video.example/1", "text": "Said."},
    {"kind": "faq", "items": [{"question": "Why?", "answer": "Because."}]},
    {"kind": "testimonial", "quote": "It works.", "who": "Ada"},
    {"kind": "badges", "items": [{"title": "Held", "text": "For you."}]},
)


def put(stage: Stage, *parts, **more) -> str:
    return contents.published(stage.house, stage.world.channel_id, *parts, **more)[0]


def read(stage: Stage, slug: str, browser: Browser | None = None, **more):
    return (browser or stage.browser()).get(f"/pages/{slug}", **more)


def test_a_page_of_every_kind_of_block_shows_live_prices(stage: Stage):
    picture = contents.picture(stage.house, "A hill in June")
    shown = {"kind": "picture", "picture": f"media:{picture}", "caption": "Below the hill"}
    slug = put(stage, *EVERY_KIND, shown, title="Spring")
    answer = read(stage, slug)
    html, page = answer.get_data(as_text=True), Page(answer)
    assert answer.headers["Cache-Control"] == KEPT
    for words in ("129.00", "59.00", "45.00", "Watch on video.example", "Because.", "It works."):
        assert words in page.text, words
    assert "<h2>Head</h2>" in html
    assert html.count("<h1>") == 1
    assert re.search(r'srcset="/media/[0-9a-f]+-480.jpg 480w, [^"]*-1200.jpg 1200w"', html)
    assert 'alt="A hill in June" width="1200" height="800"' in html
    assert html.index("Porch camera", html.index("Two")) < html.index("Wi-Fi 6", html.index("Two"))


def test_a_block_is_made_anew_when_what_can_be_had_has_changed(stage: Stage):
    slug = put(
        stage, {"kind": "products", "title": "Shelf", "rule": "chosen", "skus": ["FW-CAM-1"]}
    )
    now = stage.clock.now()
    with stage.shop.app.test_request_context(), stage.db.reading() as session:
        found = channel()[0]
        kept = stage.house.pages.at(session, found, slug, now).variants[0]
        there = show_page.goods(session, stage.house.shelves, found, kept.live.content, now)
        gone = [
            replace(one, offers=tuple(replace(offer, pieces=0) for offer in one.offers))
            for one in there
        ]
        shown = [
            content.render(kept, goods, cacheable=True) for goods in (there, there, gone, there)
        ]
    assert ["Sold out" in html for html in shown] == [False, False, True, False]
    assert shown[0] == shown[1] == shown[3]


def test_a_page_asks_as_often_for_many_blocks_as_for_few(stage: Stage):
    few, many = put(stage, *EVERY_KIND), put(stage, *(EVERY_KIND * 5))
    counts = []
    for slug in (few, many):
        read(stage, slug)
        with statements(stage.db) as sent:
            assert read(stage, slug).status_code == 200
        counts.append(len(sent))
    assert counts[0] == counts[1] <= 5


def test_words_are_never_a_template_and_never_run(stage: Stage):
    bad = "<script>alert(1)</script><img src=x onerror=alert(2)>{{7*7}}${7*7}{% raw %}"
    link = "[x](javascript:alert(1)) <a href='javascript:alert(2)'>y</a> [z](data:text/html,1)"
    parts = (
        {"kind": "hero", "title": bad, "lede": bad, "button_label": bad, "button_href": "/x"},
        {"kind": "text", "text": f"{bad}\n\n{link}"},
        {"kind": "feature", "title": bad, "lede": bad, "text": bad},
        {"kind": "faq", "title": bad, "items": [{"question": bad, "answer": f"{bad} {link}"}]},
        {"kind": "testimonial", "quote": bad, "who": bad, "what": bad},
        {"kind": "badges", "title": bad, "items": [{"title": bad, "text": bad}]},
        {"kind": "prices", "title": bad, "foot": bad, "columns": [{"sku": "FW-RT-6", "note": bad}]},
        {"kind": "offer", "sku": "FW-RT-6", "title": bad, "text": bad},
        {"kind": "products", "title": bad, "link_label": bad, "link_href": "/c/all"},
        {"kind": "video", "title": bad, "href": "https://v.example/", "text": bad},
    )
    slug = put(stage, *parts, title=bad, description=bad, og_title=bad, og_description=bad)
    html = read(stage, slug).get_data(as_text=True)
    assert "<script>" not in html
    assert "<img src=x" not in html
    assert not re.search(r"""<[a-z][^>]*(href|src)=["']?(javascript|data):""", html)
    assert "{{7*7}}" in html
    assert "49" not in Page(read(stage, slug)).text.replace("7*7", "")


def test_the_campaign_of_the_address_chooses_and_may_be_kept(stage: Stage):
    code = contents.segment(stage.house, stage.world.channel_id, campaigns=("sale",))
    slug = put(stage, title="For everybody")
    put(stage, slug=slug, title="For the sale", segment=code)
    answers = {
        query: read(stage, slug, query_string=query)
        for query in ("", "campaign=sale", "utm_campaign=SALE", "campaign=other")
    }
    titles = [Page(one).text.split(" · ")[0] for one in answers.values()]
    assert ["For the sale" in one for one in titles] == [False, True, True, False]
    for one in answers.values():
        assert one.headers["Cache-Control"] == KEPT
        assert "Cookie" not in one.headers.get("Vary", "")
        assert f'rel="canonical" href="http://localhost/pages/{slug}"' in one.get_data(
            as_text=True
        ).replace(stage.shop.settings.base_url, "http://localhost")


def test_what_a_visitor_brings_along_makes_the_page_private(stage: Stage):
    channel = stage.world.channel_id
    known = contents.segment(stage.house, channel, 1, signed_in="yes")
    back = contents.segment(stage.house, channel, 2, visitor="returning")
    slug = put(stage, title="For new people")
    put(stage, slug=slug, title="For customers", segment=known)
    put(stage, slug=slug, title="Welcome back", segment=back)
    returning = stage.browser()
    returning.token()
    for browser, title in (
        (stage.browser(), "For new people"),
        (returning, "Welcome back"),
        (stage.browser(RILEY), "For customers"),
    ):
        answer = read(stage, slug, browser)
        assert f"<title>{title}" in answer.get_data(as_text=True)
        assert answer.headers["Cache-Control"] == PRIVATE
        assert not answer.headers.getlist("Set-Cookie")


def test_a_variant_that_ends_leaves_the_page_shared_again(stage: Stage):
    code = contents.segment(stage.house, stage.world.channel_id, signed_in="no")
    slug = put(stage, title="Always")
    ends = stage.clock.now() + timedelta(hours=1)
    put(stage, slug=slug, title="An hour", segment=code, window=Window(None, ends))
    assert read(stage, slug).headers["Cache-Control"] == PRIVATE
    stage.clock.advance(timedelta(hours=1))
    assert read(stage, slug).headers["Cache-Control"] == KEPT


def test_a_page_in_two_languages_says_on_what_it_depends(stage: Stage):
    slug = put(stage, title="Moving house")
    assert "Accept-Language" not in read(stage, slug).headers.get("Vary", "")
    put(stage, slug=slug, title="Umziehen", locale="de_DE")
    german = read(stage, slug, headers={"Accept-Language": "de-AT,de;q=0.9,en;q=0.1"})
    other = read(stage, slug, headers={"Accept-Language": "fr"})
    asked = read(stage, slug, query_string="lang=de-DE")
    assert [one.headers["Vary"] for one in (german, other, asked)] == ["Accept-Language"] * 3
    assert ["Umziehen" in one.get_data(as_text=True) for one in (german, other, asked)] == [
        True,
        False,
        True,
    ]


def test_the_home_page_is_the_one_that_was_written(one_stage: Stage):
    stage = one_stage
    before = stage.browser().get("/").get_data(as_text=True)
    assert "On the shelf today" in before
    _, key = contents.published(
        stage.house, stage.world.channel_id, EVERY_KIND[0], slug="home", title="Our own home"
    )
    assert "<h1>Spring</h1>" in stage.browser().get("/").get_data(as_text=True)
    with stage.db.transaction() as session:
        publishing.withdraw(session, key, ANN, stage.clock.now())
    assert stage.browser().get("/").get_data(as_text=True) == before


def test_what_nobody_wrote_or_published_is_not_there(stage: Stage):
    later = Window(stage.clock.now() + timedelta(days=9))
    for slug in ("nothing", put(stage, window=later), "x" * 300, "a%2Fb"):
        assert read(stage, slug).status_code == 404


# --- menus and banners ------------------------------------------------------------------------


def _fresh(stage: Stage) -> Browser:
    """On a process that has not kept what stands on every page."""
    return Browser(stage.another_shop())


def test_menus_and_banner_stand_on_every_page_of_the_shop(one_stage: Stage):
    stage, now = one_stage, one_stage.clock.now()
    channel = stage.world.channel_id
    with stage.db.transaction() as session:
        menus.write(
            session, channel, Place("header"), [MenuLink("Spring", "/pages/s")], 0, ANN, now
        )
        menus.write(
            session, channel, Place("footer"), [MenuLink("<b>Help</b>", "/pages/h")], 0, ANN, now
        )
        old = Banner("Old", now - timedelta(days=2), now - timedelta(days=1))
        up = Banner("New towers in June", now, now + timedelta(days=1), "More", "/pages/towers")
        for banner in (old, up):
            banners.add(session, channel, banner, ANN, now)
    html = _fresh(stage).get("/c/all").get_data(as_text=True)
    assert '<a href="/pages/s">Spring</a>' in html
    assert "&lt;b&gt;Help&lt;/b&gt;" in html
    assert "New towers in June" in html
    assert "Old" not in Page(_fresh(stage).get("/c/all")).text
    assert "New towers in June" not in _fresh(stage).get("/account/login").get_data(as_text=True)
    stage.clock.advance(timedelta(days=1))
    assert "New towers" not in _fresh(stage).get("/c/all").get_data(as_text=True)
    with pytest.raises(Invalid), stage.db.transaction() as session:
        menus.write(session, channel, Place("footer"), [MenuLink("X", "javascript:1")], 1, ANN, now)


def test_menus_and_banners_speak_the_language_of_the_page(one_stage: Stage):
    stage, now = one_stage, one_stage.clock.now()
    channel, german = stage.world.channel_id, "de_DE"
    slug = put(stage, {"kind": "text", "text": "Words"})
    contents.published(stage.house, channel, slug=slug, locale=german, title="Seite")
    with stage.db.transaction() as session:
        written = menus.every(session, channel)
        at = written[Place("footer")].revision if Place("footer") in written else 0
        menus.write(session, channel, Place("footer"), [MenuLink("Help", "/h")], at, ANN, now)
        place = Place("footer", german)
        menus.write(session, channel, place, [MenuLink("Hilfe", "/h")], 0, ANN, now)
        until = now + timedelta(hours=1)
        for text, locale in (("Hallo", german), ("Hello", "")):
            banners.add(session, channel, Banner(text, now, until, locale=locale), ANN, now)
    fresh = _fresh(stage)
    english, told = (fresh.get(f"/pages/{slug}?lang={one}") for one in ("en-US", "de-DE"))
    assert [word in Page(english).text for word in ("Help", "Hilfe", "Hello", "Hallo")] == [
        True,
        False,
        True,
        False,
    ]
    assert [word in Page(told).text for word in ("Help", "Hilfe", "Hello", "Hallo")] == [
        False,
        True,
        False,
        True,
    ]
    assert '<div lang="de-DE">' in told.get_data(as_text=True)
    assert "lang=" not in english.get_data(as_text=True).partition("<main")[2]
    with stage.db.transaction() as session:
        menus.write(session, channel, place, [], 1, ANN, now)
    assert "Help" in Page(_fresh(stage).get(f"/pages/{slug}?lang=de-DE")).text


# --- redirects --------------------------------------------------------------------------------


def lead(db: Database, stage: Stage, source: str, target: str, permanent: bool = True):
    with db.transaction() as session:
        return redirects.add(
            session, stage.world.channel_id, source, target, permanent, ANN, stage.clock.now()
        )


def test_an_address_that_has_gone_leads_on_and_is_counted(stage: Stage):
    old = f"/old-{new_public_id()[:8]}"
    row = lead(stage.db, stage, f"{old}/?x=1", "/c/all")

    def counted() -> int:
        return stage.row(ContentRedirect, ContentRedirect.id == row.id).hits

    stage.clock.advance(timedelta(minutes=2))
    for path in (old, f"{old}/", f"{old}?after="):
        assert stage.browser().get(path).status_code == 301
        assert counted() == 1, "strangers write once a minute, however often they ask"
    stage.clock.advance(timedelta(minutes=1))
    answer = stage.browser().get(f"{old}?campaign=sale")
    assert answer.headers["Location"] == "/c/all?campaign=sale"
    assert stage.browser().ask("POST", old).status_code in (403, 404)
    assert counted() == 4, "what came within the minute went with the next"
    gone = lead(stage.db, stage, f"/p/{old[1:]}", "https://elsewhere.example/x", permanent=False)
    away = stage.browser().get(gone.source)
    assert (away.status_code, away.headers["Location"]) == (302, "https://elsewhere.example/x")
    assert away.headers["Cache-Control"] == "no-store"


def test_redirects_that_would_loop_or_chain_are_refused(stage: Stage):
    a, b, c = (f"/{letter}-{new_public_id()[:8]}" for letter in "abc")
    lead(stage.db, stage, a, f"{b}?from=a")
    for source, target in (
        (b, a),
        (b, c),
        (c, a),
        (a, c),
        (c, c),
        (c, f"{c}/?x#y"),
        ("/", c),
        ("nothing", c),
        ("//evil.example", c),
        (c, "//evil.example"),
        (c, "http://evil.example"),
        (c, "javascript:alert(1)"),
        (c, "/\\evil.example"),
    ):
        with pytest.raises(Invalid):
            lead(stage.db, stage, source, target)
    with stage.db.reading() as session:
        mine = ContentRedirect.source.in_([a, b, c])
        assert session.scalar(select(func.count()).where(mine)) == 1


# --- what search engines read -----------------------------------------------------------------


def test_the_site_map_names_what_people_may_find(stage: Stage):
    shown = put(stage)
    hidden = put(stage, noindex=True)
    moved = put(stage, canonical="/c/all")
    browser, base = stage.browser(), stage.shop.settings.base_url
    assert f"Sitemap: {base}/sitemap.xml" in browser.get("/robots.txt").get_data(as_text=True)
    parts = re.findall(r"<loc>(.*?)</loc>", browser.get("/sitemap.xml").get_data(as_text=True))
    found = [
        path
        for part in parts
        for path in re.findall(
            r"<loc>(.*?)</loc>", browser.get(part.removeprefix(base)).get_data(as_text=True)
        )
    ]
    assert len(found) == len(set(found))
    assert {f"{base}/", f"{base}/pages/{shown}", f"{base}/p/wi-fi-6-router"} <= set(found)
    assert f"{base}/pages/{hidden}" not in found
    assert f"{base}/pages/{moved}" not in found
    assert 'name="robots" content="noindex"' in read(stage, hidden).get_data(as_text=True)
    assert browser.get("/sitemap/99.xml").status_code == 404


def _data(html: str) -> dict:
    (found,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', html, re.DOTALL)
    return dict(json.loads(found))


def _thing(stage: Stage, stock: int) -> str:
    """A product of its own; answers its address."""
    now, world, sku = stage.clock.now(), stage.world, f"LD-{new_public_id()[:8]}"
    with stage.db.transaction() as session:
        shelf = worlds._Shelf(session, now, world.price_list_id, world.location_id)
        category = shelf.category(sku.lower(), "</script><script>", 90)
        made = shelf.put(category, sku, sku, "physical", "device", "9.50", stock)
        session.get_one(Product, made.product_id).name = f"{sku}</script><b>"
    return f"/p/{made.slug}"


def test_a_product_tells_its_price_and_availability_as_they_are(one_stage: Stage):
    stage = one_stage
    for stock, there in ((3, "InStock"), (0, "OutOfStock")):
        answer = _fresh(stage).get(_thing(stage, stock))
        html = answer.get_data(as_text=True)
        (offer,) = _data(html)["offers"]
        assert (offer["price"], offer["priceCurrency"]) == ("9.50", "USD")
        assert offer["availability"] == f"https://schema.org/{there}"
        assert _data(html)["name"].endswith("</script><b>")
        assert "script-src 'self';" in answer.headers["Content-Security-Policy"]


# --- pictures ---------------------------------------------------------------------------------


def test_a_picture_is_served_at_its_widths_and_nothing_else_of_the_store_is(stage: Stage):
    key = contents.picture(stage.house, width=1000, height=500)
    with stage.db.reading() as session:
        found = media.resolve(session, [f"media:{key}"])[f"media:{key}"]
    assert [width for _, width in found.sources] == [480, 960, 1000]
    for href, _ in found.sources:
        answer = stage.browser().get(href)
        assert answer.mimetype == "image/jpeg"
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    for path in (f"/media/{key}-481.jpg", f"/media/{key}-480.png", f"/media/{'0' * 64}-480.jpg"):
        assert stage.browser().get(path).status_code == 404


def test_a_crash_between_bytes_and_rows_leaves_no_picture_half_there(stage: Stage):
    name = f"hill-{new_public_id()[:8]}"
    with crash.crash_at("picture.stored"):
        keep(stage.house, contents.photo(600, 400), name, "", ANN)
    assert stage.rows(MediaAsset, MediaAsset.name == name) == []
    keep(stage.house, contents.photo(600, 400), name, "", ANN)
    assert len(stage.rows(MediaAsset, MediaAsset.name == name)) == 1
