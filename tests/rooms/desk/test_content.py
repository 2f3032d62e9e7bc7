"""Content at the desk: what is typed becomes a page, and two who write do not lose each other's words."""

import io
import re
from html import unescape
from typing import Any

import pytest

from cms_content import brand, checks, media, pages
from cms_content.models import BrandKit, ContentMenu, ContentPage, MediaAsset, PageVersion
from core.kernel.blobs import Blob
from core.kernel.ids import new_public_id
from core.notices import addressing
from core.notices.letters import Mark
from core.parties.models import Channel, LegalEntity
from flows import keep_video
from tests import contents, videos
from tests.rooms.web.looking import Page
from tests.rooms.web.stage import KIM, Browser, Stage

HERE = "/desk/content"


def fields(answer) -> dict[str, str]:
    """What a page's forms hold, as the browser would send it."""
    html = answer.get_data(as_text=True)
    found: dict[str, str] = {}
    for tag in re.findall(r"<input\b[^>]*>", html):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and ('type="checkbox"' not in tag or " checked" in tag):
            found[name[1]] = unescape(value[1]) if value else ""
    for name, text in re.findall(
        r'<textarea\b[^>]*name="([^"]*)"[^>]*>\r?\n?(.*?)</textarea>', html, re.DOTALL
    ):
        found[name] = unescape(text)
    for name, inside in re.findall(
        r'<select\b[^>]*name="([^"]*)"[^>]*>(.*?)</select>', html, re.DOTALL
    ):
        chosen = re.search(r'<option[^>]*selected[^>]*value="([^"]*)"', inside)
        first = re.search(r'<option[^>]*value="([^"]*)"', inside)
        found[name] = unescape((chosen or first)[1]) if (chosen or first) else ""
    return found


class Desk:
    """Somebody who writes a page through its forms."""

    def __init__(self, stage: Stage, slug: str = "", who: str = KIM) -> None:
        self.stage, self.browser = stage, stage.browser(who)
        self.slug = slug or f"desk-{new_public_id()[:8]}"
        self.path = ""

    def begin(self, **more: str) -> "Desk":
        form = {
            "kind": "landing",
            "name": "Spring",
            "slug": self.slug,
            "segment": "",
            "locale": "en_US",
        }
        answer = self.browser.post(f"{HERE}/new", form | more)
        assert answer.status_code == 303, answer.get_data(as_text=True)
        self.path = answer.headers["Location"].removesuffix("/edit")
        return self

    def form(self) -> dict[str, str]:
        return fields(self.browser.get(f"{self.path}/edit"))

    def do(self, act: str, **typed: str):
        sent = self.form() | {name.replace("_", "-", 1): text for name, text in typed.items()}
        return self.browser.post(f"{self.path}/edit", sent | {"do": act})

    def add(self, kind: str, **typed: str) -> int:
        assert self.do("add", add=kind).status_code == 303
        at = self.kinds().index(kind)
        if typed:
            sent = {f"b{at}_{name}": text for name, text in typed.items()}
            assert self.do("save", **sent).status_code == 303
        return at

    def content(self) -> Any:
        with self.stage.db.reading() as session:
            page = pages.one(session, self.path.rpartition("/")[2])
            draft = pages.in_state(session, page, "draft")
            assert draft is not None
            return checks.read(draft.content)

    def kinds(self) -> list[str]:
        return [block.kind for block in self.content().blocks]

    def publish(self):
        asked = self.browser.get(f"{self.path}/publish")
        assert asked.status_code == 200
        return self.browser.post(f"{self.path}/publish", fields(asked) | {"when": "now"})

    def read(self) -> str:
        return self.stage.browser().get(f"/pages/{self.slug}").get_data(as_text=True)


@pytest.fixture
def desk(stage: Stage) -> Desk:
    return Desk(stage).begin()


def test_a_page_is_written_moved_about_published_and_brought_back(desk: Desk):
    desk.add("hero", title="Spring {{7*7}}", lede="A lede")
    desk.add("text", text="Some **words**")
    desk.add("badges", **{"0-title": "Held", "0-text": "For you"})
    desk.add("prices", **{"0-sku": "FW-RIVER-100", "0-figure": "100", "0-points": "One\nTwo"})
    assert desk.kinds() == ["hero", "text", "badges", "prices"]
    assert desk.content().blocks[3].columns[0].points == ("One", "Two")
    desk.do("down:0")
    assert desk.kinds() == ["text", "hero", "badges", "prices"]
    desk.do("up:1")
    desk.do("remove:1")
    assert desk.kinds() == ["hero", "badges", "prices"]
    desk.do("undo")
    assert desk.kinds() == ["hero", "text", "badges", "prices"]
    assert "Spring" not in desk.read()
    assert desk.publish().status_code == 303
    html = desk.read()
    assert "<h1>Spring {{7*7}}</h1>" in html
    assert "<strong>words</strong>" in html
    desk.do("save", b0_title="Summer")
    desk.publish()
    assert "<h1>Summer</h1>" in desk.read()
    differs = Page(desk.browser.get(f"{desk.path}/versions/2")).text
    assert "Summer" in differs
    assert "Spring {{7*7}}" in differs
    back = desk.browser.post(f"{desk.path}/versions/1/back")
    assert back.headers["Location"] == f"{desk.path}/edit"
    desk.publish()
    assert "<h1>Spring {{7*7}}</h1>" in desk.read()


def test_what_is_wrong_stands_at_its_field_and_nothing_typed_is_lost(desk: Desk):
    desk.add("hero")
    wrong = desk.do(
        "save", b0_title="T" * 300, b0_button_href="javascript:alert(1)", b0_lede="Kept"
    )
    html = wrong.get_data(as_text=True)
    assert wrong.status_code == 422
    assert "This is too long." in html
    assert "Begin with / for a page of this shop" in html
    assert "Kept" in html
    assert desk.content().blocks[0].lede == ""
    asked = desk.browser.get(f"{desk.path}/publish")
    assert asked.headers["Location"] == f"{desk.path}/edit?check=1"
    checked = desk.browser.get(f"{desk.path}/edit?check=1").get_data(as_text=True)
    assert "This is still to be written." in checked


def test_the_second_of_two_is_told_and_both_texts_are_kept(stage: Stage, desk: Desk):
    desk.add("hero", title="Start")
    other = Desk(stage, desk.slug, "content")
    other.path = desk.path
    stale = desk.form()
    assert other.do("save", b0_title="Theirs").status_code == 303
    told = desk.browser.post(f"{desk.path}/edit", stale | {"b0-title": "Mine", "do": "save"})
    html = told.get_data(as_text=True)
    assert told.status_code == 409
    assert "has saved this draft meanwhile" in html
    assert 'value="Mine"' in html
    assert desk.content().blocks[0].title == "Theirs"
    over = desk.browser.post(f"{desk.path}/edit", fields(told) | {"do": "over"})
    assert over.status_code == 303
    assert desk.content().blocks[0].title == "Mine"
    with stage.db.reading() as session:
        page = pages.one(session, desk.path.rpartition("/")[2])
        kept = [v.content["blocks"][0]["title"] for v in pages.versions(session, page)]
    assert kept == ["Mine", "Theirs"]


def test_the_preview_follows_what_is_typed_and_saves_nothing(desk: Desk):
    desk.add("hero", title="Saved")
    typed = desk.form() | {"b0-title": "<b>Typed</b>"}
    answer = desk.browser.post(f"{desk.path}/preview", typed)
    assert "<h1>&lt;b&gt;Typed&lt;/b&gt;</h1>" in answer.get_data(as_text=True)
    assert "frame-ancestors 'self'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert desk.content().blocks[0].title == "Saved"
    assert (
        desk.browser.post(f"{desk.path}/preview", typed | {"b0-title": "x" * 400}).status_code
        == 422
    )


def test_a_time_is_on_the_shops_clock(stage: Stage, desk: Desk):
    desk.add("hero", title="Later")
    form = fields(desk.browser.get(f"{desk.path}/publish"))
    missing = desk.browser.post(f"{desk.path}/publish", form | {"when": "later"})
    assert missing.status_code == 422
    assert "Say from when on." in missing.get_data(as_text=True)
    later = {"when": "later", "begins": "2027-01-04T09:00"}
    assert desk.browser.post(f"{desk.path}/publish", form | later).status_code == 303
    page = stage.row(ContentPage, ContentPage.slug == desk.slug)
    row = stage.row(PageVersion, PageVersion.page_id == page.id)
    assert row.goes_live_at.isoformat() == "2027-01-04T14:00:00+00:00"
    assert "goes live by itself" in desk.browser.get(desk.path).get_data(as_text=True)
    desk.browser.post(f"{desk.path}/take-back")
    assert desk.kinds() == ["hero"]


# --- pictures ---------------------------------------------------------------------------------


def _send(browser: Browser, data: bytes, name: str = "hill.jpg", **more: str):
    form = {"csrf_token": browser.token(), "name": "", "alt": "A hill", **more}
    sent = form | {"file": (io.BytesIO(data), name)}
    return browser.ask("POST", f"{HERE}/media", data=sent, content_type="multipart/form-data")


def test_an_upload_is_encoded_anew_with_words(stage: Stage):
    browser, hidden = stage.browser(KIM), b"<?php hidden ?>"
    name = f"up-{new_public_id()[:8]}"
    assert _send(browser, contents.photo() + hidden, f"{name}.jpg").status_code == 303
    row = stage.row(MediaAsset, MediaAsset.name == name)
    assert (row.alt, row.width) == ("A hill", 1200)
    with stage.db.reading() as session:
        found = media.resolve(session, [f"media:{row.public_id}"])[f"media:{row.public_id}"]
    for href, _ in found.sources:
        data = stage.browser().get(href).data
        assert data.startswith(b"\xff\xd8")
        assert hidden not in data
    for refused in (b"", b"GIF89a nothing", b"<svg onload=alert(1)>", contents.photo()[:900]):
        answer = _send(browser, refused)
        assert answer.status_code == 422
    silent = _send(browser, contents.photo(), alt="")
    assert "Say what it shows, or that it only decorates." in silent.get_data(as_text=True)
    assert _send(browser, contents.photo(100, 80), alt="", decorates="y").status_code == 303
    with stage.db.reading() as session:
        assert session.query(Blob).filter(Blob.media_type == "image/svg+xml").count() == 0


# --- videos -----------------------------------------------------------------------------------


def _post_file(browser: Browser, path: str, field: str, data: bytes, **more: str):
    sent = {"csrf_token": browser.token(), **more, field: (io.BytesIO(data), "a.bin")}
    return browser.ask("POST", path, data=sent, content_type="multipart/form-data")


def test_a_video_is_uploaded_captioned_and_played_in_a_page(stage: Stage, desk: Desk):
    kim, name = desk.browser, f"film-{new_public_id()[:8]}"
    for refused in (b"", b"GIF89a", videos.mp4(b"hvc1")):
        assert _post_file(kim, f"{HERE}/videos", "file", refused).status_code == 422
    made = _post_file(kim, f"{HERE}/videos", "file", videos.mp4(), name=name)
    here = made.headers["Location"]
    assert name in Page(kim.get(f"{HERE}/media?kind=video")).text
    assert name not in Page(kim.get(f"{HERE}/media")).text
    clip = f"video:{here.rpartition('/')[2]}"
    desk.add("video", title="How a line is laid", clip=clip, href="https://else.example/x")
    lacks = set(Page(kim.get(f"{desk.path}/edit?check=1")).values)
    assert lacks >= {"b0-href-error", "b0-picture-error", "b0-text-error"}
    said = b"WEBVTT\n\n00:01.000 --> 00:02.000\nHello\n"
    for language, data in (("xx-yy", said), ("en", b"no")):
        refused = _post_file(kim, f"{here}/captions", "captions", data, language=language)
        assert refused.status_code == 422
    for language in ("en", "de"):
        assert (
            _post_file(kim, f"{here}/captions", "captions", said, language=language).status_code
            == 303
        )
    desk.do("save", b0_href="", b0_picture="img/scenes/hero.svg")
    finished = set(Page(kim.get(f"{desk.path}/edit?check=1")).values)
    assert not lacks & finished & {"b0-href-error", "b0-picture-error", "b0-text-error"}
    shown = kim.get(f"{desk.path}/preview").get_data(as_text=True)
    player = re.search(r"<video [^>]*>.*?</video>", shown, re.DOTALL)[0]
    assert 'controls preload="none"' in player
    assert 'width="640" height="360"' in player
    assert re.search(
        r'<track kind="captions" src="[^"]+" srclang="en" label="English" default>', player
    )
    captions = re.search(r'src="([^"]+\.vtt)" srclang="de"', player)[1]
    told = stage.browser().get(captions)
    assert (told.mimetype, told.data) == ("text/vtt", said)
    assert "media-src 'self'" in told.headers["Content-Security-Policy"]
    assert kim.post(f"{here}/captions/de/off").status_code == 303
    assert stage.browser().get(captions).status_code == 404
    assert kim.post(f"{HERE}/media/{here.rpartition('/')[2]}/retire").headers["Location"] == here


def test_a_player_gets_the_range_that_it_asks_for(stage: Stage):
    data = videos.webm()
    row = keep_video.keep(stage.house, data, "film", "user:ann")
    path = f"/media/{row.public_id}-320.webm"
    whole = stage.browser().get(path)
    assert (whole.status_code, whole.mimetype) == (200, "video/webm")
    assert whole.headers["Accept-Ranges"] == "bytes"
    assert whole.headers["X-Content-Type-Options"] == "nosniff"
    kept = whole.data
    assert len(kept) == len(data)
    for wanted, start, end in (("0-9", 0, 10), ("100-", 100, None), ("-5", len(kept) - 5, None)):
        part = stage.browser().ask("GET", path, headers={"Range": f"bytes={wanted}"})
        assert (part.status_code, part.data) == (206, kept[start:end])
        assert part.headers["Content-Range"].endswith(f"/{len(kept)}")
    far = stage.browser().ask("GET", path, headers={"Range": f"bytes={len(kept)}-"})
    assert far.status_code == 416
    same = stage.browser().ask("GET", path, headers={"If-None-Match": whole.headers["ETag"]})
    assert same.status_code == 304
    for none in (f"/media/{row.public_id}-320.mp4", f"/media/{row.public_id}-480.webm"):
        assert stage.browser().get(none).status_code == 404


# --- menus ------------------------------------------------------------------------------------


def test_a_menu_says_again_what_it_said_before(one_stage: Stage):
    kim = one_stage.browser(KIM)

    def revision() -> str:
        forms = Page(kim.get(f"{HERE}/menus")).forms
        return next(f for action, _, f in forms if action.endswith("/header"))["revision"]

    def write(label: str) -> int:
        links = {"label-0": label, "href-0": "/c/all", "revision": revision()}
        return kim.post(f"{HERE}/menus/header", links).status_code

    assert [write("First"), write("Second")] == [303, 303]
    back = {"version": "1", "revision": "1"}
    assert kim.post(f"{HERE}/menus/header/back", back).status_code == 409, "it is older by now"
    assert kim.post(f"{HERE}/menus/header/back", back | {"revision": "2"}).status_code == 303
    row = one_stage.row(ContentMenu, ContentMenu.place == "header")
    assert (row.links[0]["label"], row.revision) == ("First", 3)
    unknown = {"version": "9", "revision": "3"}
    assert kim.post(f"{HERE}/menus/header/back", unknown).status_code == 404
    assert "Second" in Page(kim.get(f"{HERE}/menus")).text


# --- addresses --------------------------------------------------------------------------------


def test_a_page_moves_and_is_read_at_its_new_address_at_once(stage: Stage):
    kim, name = stage.browser(KIM), f"move-{new_public_id()[:8]}"
    slug, public_id = contents.published(stage.house, stage.world.channel_id, slug=name)
    here = f"{HERE}/pages/{public_id}/address"
    assert f"/pages/{slug}" in Page(kim.get(here)).text
    refused = kim.post(here, {"slug": "No Slug"})
    assert refused.status_code == 422
    assert "slug-error" in Page(refused).values
    assert kim.post(here, {"slug": f"{slug}-2"}).headers["Location"] == here
    assert stage.browser().get(f"/pages/{slug}-2").status_code == 200
    assert stage.browser().get(f"/pages/{slug}").headers["Location"] == f"/pages/{slug}-2"
    assert kim.post(here, {"slug": slug}).status_code == 303
    assert stage.browser().get(f"/pages/{slug}").status_code == 200


# --- brand ------------------------------------------------------------------------------------


def _mail_logo(stage: Stage) -> Mark | None:
    channel = stage.row(Channel)
    entity = stage.row(LegalEntity, LegalEntity.id == channel.legal_entity_id)
    return addressing.of_channel(entity, channel).look.mark


def test_a_brand_is_tried_checked_and_drives_shop_mails_and_documents(one_stage: Stage):
    stage = one_stage
    kim = stage.browser(KIM)
    logo = contents.picture(stage.house, alt="", width=900, height=300)
    form = fields(kim.get(f"{HERE}/brand"))
    form |= {"typeface": "sans", "attention": "#ffd166", "logo": f"media:{logo}"}
    pale = kim.post(f"{HERE}/brand", form | {"action": "#ffcc00"})
    assert pale.status_code == 422
    assert "Words would be hard to read" in pale.get_data(as_text=True)
    assert kim.post(f"{HERE}/brand", form | {"action": "red;}"}).status_code == 422
    assert kim.post(f"{HERE}/brand", form | {"action": "#0b57d0"}).status_code == 303
    before = Browser(stage.another_shop()).get("/").get_data(as_text=True)
    assert "#0b57d0" in kim.get(f"{HERE}/brand/preview.css").get_data(as_text=True)
    assert "/desk/content/brand/preview.css" in kim.get(f"{HERE}/brand/preview").get_data(
        as_text=True
    )
    tried = kim.get(f"{HERE}/brand/preview-mail").get_data(as_text=True)
    assert "#0b57d0" in tried
    assert 'src="data:image/png;base64,' in tried
    assert "cid:" not in tried
    assert kim.get(f"{HERE}/brand/preview.pdf").data.startswith(b"%PDF")
    assert _mail_logo(stage) is None, "nobody sees a draft"
    again = fields(kim.get(f"{HERE}/brand"))
    assert kim.post(f"{HERE}/brand/publish", {"revision": "77"}).status_code == 409
    assert kim.post(f"{HERE}/brand/publish", {"revision": again["revision"]}).status_code == 303
    number = stage.row(BrandKit, BrandKit.state == "published").number
    after = Browser(stage.another_shop()).get("/").get_data(as_text=True)
    assert f'href="/brand/{number}.css"' in after
    assert f'href="/brand/{number}.css"' not in before
    mark = _mail_logo(stage)
    assert mark is not None
    assert (mark.width, mark.height) == (120, 40)
    assert stage.house.blobs.get(mark.sha256).startswith(b"\x89PNG")
    css = stage.browser().get(f"/brand/{number}.css").get_data(as_text=True)
    assert "--fir:#0b57d0" in css
    assert not brand.Kit(action="#0b57d0", attention="#ffd166").palette.unreadable()
    assert "#0b57d0" in kim.get(f"{HERE}/brand/preview-mail").get_data(as_text=True)
