"""Content by the API: read by any program, written with a key of the desk within its scopes."""

import io
from collections.abc import Callable
from typing import Any

import pytest

from api.media_shapes import MediaAnswer
from core.parties import tokens
from core.parties.tokens import STAFF, NewToken
from flows import keep_picture
from tests import contents
from tests import world as worlds
from tests.rooms.api.conftest import Program
from tests.rooms.web.disputed import photo
from tests.shop import Shop
from tests.videos import webm
from tests.world import World

Keyed = Callable[..., dict[str, str]]


@pytest.fixture
def keyed(shop: Shop) -> Keyed:
    """Makes keys of somebody who writes pages, as the header that carries them."""
    now = shop.house.clock.now()
    with shop.house.db.transaction() as session:
        wim = worlds.user(session, now, email="wim@example.com", name="Wim Ferrier")
        wim.is_staff, wim.roles = True, ["content"]
        key = wim.id

    def make(*scopes: str) -> dict[str, str]:
        with shop.house.db.transaction() as session:
            new = NewToken(STAFF, "A program", scopes)
            secret = tokens.make(session, key, new, now.date(), now)[1]
        return {"Authorization": f"Bearer {secret}"}

    return make


def test_a_page_is_begun_written_published_read_and_withdrawn(
    program: Program, shop: Shop, world: World, keyed: Keyed
):
    write = keyed("content:read", "content:write")
    wish = {"kind": "landing", "slug": "spring", "name": "Spring", "locale": "en_US"}
    begun = program.post("/desk/pages", wish, headers=write)
    assert begun.status_code == 201, begun.json
    assert (begun.json["state"], begun.json["draft_revision"]) == ("draft", 1)
    again = program.post("/desk/pages", wish, headers=write)
    assert again.status_code == 422
    path = f"/desk/pages/{begun.json['id']}"
    blocks = [
        {"kind": "hero", "title": "{{7*7}}"},
        {"kind": "products", "rule": "chosen", "skus": ["FW-CAM-1"]},
    ]
    draft = {"revision": 1, "content": {"title": "Spring", "blocks": blocks}}
    saved = program.ask("PUT", f"{path}/draft", draft, headers=write)
    assert saved.json["draft_revision"] == 2, saved.json
    assert program.ask("PUT", f"{path}/draft", draft, headers=write).status_code == 409
    assert program.get("/pages/spring").status_code == 404
    published = program.post(f"{path}/publish", {"revision": 2}, headers=write)
    assert published.json["state"] == "published"
    page = program.get("/pages/spring").json
    assert page["blocks"][0]["title"] == "{{7*7}}"
    assert [one["slug"] for one in page["products"]] == ["porch-camera"]
    assert page["products"][0]["variants"][0]["price"] == {"amount": 5900, "currency": "USD"}
    listed = program.get("/pages?page_size=1").json
    assert ([one["slug"] for one in listed["items"]], listed["next_cursor"]) == (
        ["spring"],
        "spring",
    )
    assert program.get("/pages?cursor=spring").json["items"] == []
    assert program.post(f"{path}/withdraw", headers=write).json["state"] == "withdrawn"
    assert program.get("/pages/spring").status_code == 404
    assert program.post(f"{path}/draft", headers=write).json["draft"]["title"] == "Spring"


def test_what_cannot_be_taken_is_told_by_its_place(program: Program, world: World, keyed: Keyed):
    write = keyed("content:read", "content:write")
    wish = {"kind": "page", "slug": "a-page", "name": "A page", "locale": "en_US"}
    path = f"/desk/pages/{program.post('/desk/pages', wish, headers=write).json['id']}"
    bad = [{"kind": "hero", "title": "x", "button_href": "javascript:1"}, {"kind": "nothing"}]
    refused = program.ask(
        "PUT",
        f"{path}/draft",
        {"revision": 1, "content": {"title": "", "blocks": bad}},
        headers=write,
    )
    assert refused.status_code == 422
    assert len(refused.json["errors"]) == 2
    unfinished = program.post(f"{path}/publish", {"revision": 1}, headers=write)
    assert (unfinished.status_code, unfinished.json["code"]) == (422, "page_unfinished")
    assert "blocks" in unfinished.json["lacks"]


def test_a_key_that_may_only_read_writes_nothing(program: Program, world: World, keyed: Keyed):
    read = keyed("content:read")
    assert program.get("/desk/pages", headers=read).status_code == 200
    wish = {"kind": "page", "slug": "a-page", "name": "A page", "locale": "en_US"}
    refused = program.post("/desk/pages", wish, headers=read)
    assert (refused.status_code, refused.json["code"]) == (403, "scope_missing")


def test_a_program_tells_whom_it_serves(program: Program, shop: Shop, world: World):
    code = contents.segment(shop.house, world.channel_id, campaigns=("sale",))
    slug, _ = contents.published(shop.house, world.channel_id, title="For everybody")
    contents.published(shop.house, world.channel_id, slug=slug, title="For the sale", segment=code)
    titles = [
        program.get(f"/pages/{slug}{query}").json["title"] for query in ("", "?campaign=sale")
    ]
    assert titles == ["For everybody", "For the sale"]
    assert program.get(f"/pages/{slug}?campaign=%00").status_code in (400, 422)


def test_menus_are_read(program: Program, world: World):
    assert program.get("/menus/footer").json == {"place": "footer", "links": []}
    assert program.get("/menus/side").status_code == 404


def _upload(program: Program, path: str, key: dict[str, str], once: str, **fields: object) -> Any:
    headers = key | {"Idempotency-Key": once}
    return program.client.post(f"/api/v1{path}", data=fields, headers=headers)


def test_pictures_videos_and_captions_are_uploaded_once_as_files_of_a_form(
    program: Program, keyed: Keyed, monkeypatch: pytest.MonkeyPatch
):
    key = keyed("content:read", "content:write")
    monkeypatch.setattr(keep_picture, "MOST_BYTES", 100_000)

    def picture(once: str, data: bytes, **more: object) -> Any:
        file = (io.BytesIO(data), "porch.png")
        fields = {"name": "A porch", "alt": "A porch at night", "file": file} | more
        return _upload(program, "/desk/pictures", key, once, **fields)

    made = picture("one", photo("PNG"))
    assert made.status_code == 201, made.json
    MediaAnswer.model_validate_json(made.data)
    assert made.json["block"] == f"media:{made.json['id']}"
    assert made.json["picture"]["alt"] == "A porch at night"
    assert picture("one", photo("PNG")).json == made.json, "sent again it is the same picture"
    assert picture("one", photo("JPEG")).json["code"] == "idempotency_key_reused"
    broken = picture("two", b"%PDF-1.7")
    assert (broken.status_code, broken.json["errors"][0]["field"]) == (422, "file")
    assert broken.json["errors"][0]["code"] == "not_a_picture"
    for once, size in (("three", 100_001), ("far", 200_001)):
        assert picture(once, b"x" * size).status_code == 413
    assert picture("four", photo("PNG"), surprise="?").json["errors"][0]["code"] == "unknown_field"
    as_json = program.post("/desk/pictures", {"name": "A porch"}, headers=key)
    assert (as_json.status_code, as_json.json["code"]) == (415, "wrong_content_type")

    film = (io.BytesIO(webm()), "porch.webm")
    video = _upload(program, "/desk/videos", key, "film", name="A walk", file=film)
    assert (video.status_code, video.json["kind"]) == (201, "video"), video.json
    words = (io.BytesIO(b"WEBVTT\n\n00:00.000 --> 00:01.000\nHello\n"), "en.vtt")
    path = f"/desk/videos/{video.json['id']}/captions"
    said = _upload(program, path, key, "said", language="en", file=words)
    assert said.json["video"]["captions"][0]["language"] == "en", said.json
    wrong = _upload(program, path, key, "not", language="en", file=(io.BytesIO(b"?"), "en.vtt"))
    assert (wrong.status_code, wrong.json["errors"][0]["field"]) == (422, "file")

    listed = program.get("/desk/media?kind=video", headers=key).json
    assert [one["id"] for one in listed["items"]] == [video.json["id"]]
    assert program.get(f"/desk/media/{made.json['id']}", headers=key).json == made.json
    reader = keyed("content:read")
    assert _upload(program, "/desk/videos", reader, "no", name="A walk").status_code == 403
