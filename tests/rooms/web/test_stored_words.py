"""Whatever stands in the database as words comes out as words, on every page, for everybody who may see it.

A copy of the shop has every free text replaced: names, addresses, messages, reasons, notes, titles, what
documents froze. Then the whole table of routes is walked. A page that runs something has an element or an
attribute that our templates did not write.
"""

import html
import html.parser
import json
import re
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from app.tables import metadata
from cms_content import menus
from cms_content.menus import MenuLink, Place
from cms_content.pages import HOME
from core.kernel.db import Database
from flows import keep_products
from tests import contents
from tests.rooms.web.names import Names
from tests.rooms.web.routes import ROUTES
from tests.rooms.web.stage import EVERYBODY, KIM, NOBODY, RILEY, Browser, Stage
from tests.shop import make_shop

#: One of each way out of a text that is known; each is put somewhere.
STRINGS = (
    "<script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "</title></textarea></script><iframe src=javascript:alert(1)>",
    "' onmouseover='alert(1)",
    '" autofocus onfocus="alert(1)',
    "javascript:alert(1)",
    "{{7*7}}${7*7}#{7*7}<%= 7*7 %>",
    "{% raw %}{{ config }}",
    "\u003cscript\u003ealert(1)//<!--",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "]]><script>alert(1)</script>",
    '<math><mi xlink:href="data:x,alert(1)">',
    '<a href="data:text/html,x" style=x:expression(alert(1))>x</a>',
)
#: Words that the house itself reads: codes, kinds, states, addresses of pages and of the processor.
READ = re.compile(
    r"(_id|_hash|_key|key|code|kind|state|slug|sku|locale|segment|currency|country|region|hash|token|version|"
    r"source|target|href|picture|email|number|zone|time_zone|series|handler|name_of|purpose|scope|scopes|role|"
    r"roles|type|media_type|sha256|act|actor|provider|interval|category|tax_category|place|tone|redirect_url|"
    r"url|reference|rate|method|channel|made_of|made_by|changed_by|ledger_code|unit|meter|family|feature)$"
)
#: Tables whose words are read by the house, or seen by nobody.
LEFT = {"job", "alembic_version", "idempotency_key", "rate_counter", "audit_entry", "user_session"}
#: JSON whose words are shown as they stand.
SHOWN = {
    "address",
    "billing_address",
    "shipping_address",
    "place",
    "service_location",
    "facts",
    "document",
    "brand",
    "content",
    "links",
}


def _hostile(number: int, longest: int) -> str:
    rotated = [*STRINGS[number % len(STRINGS) :], *STRINGS[: number % len(STRINGS)]]
    return next((text for text in rotated if len(text) <= longest), "<b>")


def _in_json(value: Any, number: int) -> Any:
    """Leaves that are words (they have a space) are replaced."""
    if isinstance(value, dict):
        return {name: _in_json(one, number + at) for at, (name, one) in enumerate(value.items())}
    if isinstance(value, list):
        return [_in_json(one, number + at) for at, one in enumerate(value)]
    if isinstance(value, str) and " " in value:
        return _hostile(number, 300)
    return value


def spoil(path: Path) -> int:
    """Replace every free text of a database; answers how many values."""
    spoilt = 0
    with closing(sqlite3.connect(path)) as db:
        for (name,) in db.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall():
            db.execute(f'DROP TRIGGER "{name}"')
        for table in metadata.sorted_tables:
            if table.name in LEFT:
                continue
            for column in table.columns:
                spoilt += _spoil(db, table, column)
        db.commit()
    return spoilt


def _spoil(db: sqlite3.Connection, table: sa.Table, column: sa.Column[Any]) -> int:
    is_text = isinstance(column.type, sa.String) and (column.type.length or 1000) >= 40
    is_json = isinstance(column.type, sa.JSON) and column.name in SHOWN
    if column.primary_key or not (is_json or (is_text and not READ.search(column.name))):
        return 0
    where = f'"{column.name}" IS NOT NULL AND "{column.name}" <> \'\''
    rows = db.execute(f'SELECT rowid, "{column.name}" FROM "{table.name}" WHERE {where}').fetchall()
    done = 0
    for rowid, value in rows:
        if is_json:
            new = json.dumps(_in_json(json.loads(value), rowid))
        else:
            new = _hostile(rowid, getattr(column.type, "length", None) or 1000)
        try:
            db.execute(
                f'UPDATE "{table.name}" SET "{column.name}" = ? WHERE rowid = ?', (new, rowid)
            )
            done += 1
        except sqlite3.IntegrityError:
            continue  # a CHECK says that it is no free text, or it must be unique
    return done


class Reader(html.parser.HTMLParser):
    """What a browser would do with a page, as far as it would run something."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.runs: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        is_ours = str(told.get("src", "")).startswith("/static/")
        if tag == "script" and not is_ours and told.get("type") != "application/ld+json":
            self.runs.append(f"<script {told}>")
        if tag in ("object", "embed", "base", "math", "foreignobject"):
            self.runs.append(f"<{tag}>")
        if tag == "iframe" and not str(told.get("src", "")).startswith("/desk/content/"):
            self.runs.append(f"<iframe {told}>")
        for name, value in attrs:
            if name.startswith("on") or (
                name in ("style", "srcdoc", "formaction")
                and (name != "formaction" or not str(value).startswith("/"))
            ):
                self.runs.append(f"{tag} {name}={value}")
            if name in ("href", "src", "action", "xlink:href"):
                scheme = re.sub(r"[\x00-\x20]", "", str(value or "")).lower()
                if scheme.startswith(("javascript:", "vbscript:", "data:")):
                    self.runs.append(f"{tag} {name}={value}")


def _copy(stage: Stage, path: Path) -> None:
    source = sqlite3.connect(stage.db.url.removeprefix("sqlite:///"))
    with closing(source), closing(sqlite3.connect(path)) as target:
        source.backup(target)


def _furnish(stage: Stage) -> None:
    """What the pages show beside that: menus, a page of blocks with a video, a product with a picture."""
    channel, now = stage.world.channel_id, stage.clock.now()
    with stage.db.transaction() as session:
        for place in menus.PLACES:
            for revision, label in enumerate(("Two words", "Other words")):
                links = [MenuLink(label, "/c/all")]
                menus.write(session, channel, Place(place), links, revision, "user:ann", now)
    contents.published(
        stage.house,
        channel,
        {
            "kind": "hero",
            "title": "Two words",
            "button_label": "Two words",
            "button_href": "/c/all",
        },
        {"kind": "text", "text": "Some **more** words"},
        {
            "kind": "video",
            "title": "Two words",
            "clip": f"video:{contents.video(stage.house)}",
            "picture": f"media:{contents.picture(stage.house)}",
            "text": "Said in words",
        },
        {"kind": "testimonial", "quote": "What they said", "who": "Some body"},
        slug=HOME,
    )
    picture = f"media:{contents.picture(stage.house, alt='What it shows')}"
    keep_products.illustrate(stage.house, "porch-camera", [picture], "user:ann")


@pytest.fixture
def spoilt(one_stage: Stage, tmp_path: Path) -> Stage:
    """A copy of the stage's shop, spoilt. The templates are the same on every database: one is enough."""
    stage, path, names = one_stage, tmp_path / "spoilt.db", Names(one_stage)
    assert stage.db.is_sqlite
    _furnish(stage)
    for route in ROUTES:
        if route.method == "GET":
            names.fill(route.path)
    _copy(stage, path)
    assert spoil(path) > 150
    shop = make_shop(Database(f"sqlite:///{path}"), stage.clock, stage.folder, stage.house.gateway)
    return replace(stage, shop=shop, ids=dict(names), walk=[])


def test_no_page_runs_what_somebody_typed_once(spoilt: Stage):
    names, ran, seen, shown = Names(spoilt), [], 0, set()
    browsers: dict[str, Browser] = {who: spoilt.browser(who) for who in (NOBODY, RILEY, KIM)}
    for route in ROUTES:
        if route.method != "GET" or route.is_for_programs:
            continue
        who = next((one for one in EVERYBODY if route.gets[one] == "200"), KIM)
        browser = browsers.get(who) or browsers[KIM]
        for one in {browser, browsers[KIM]} if route.gets.get(KIM) == "200" else {browser}:
            answer = one.get(names.fill(route.path))
            if answer.mimetype != "text/html" or answer.status_code != 200:
                continue
            text = answer.get_data(as_text=True)
            reader = Reader()
            reader.feed(text)
            seen += 1
            shown |= {string for string in STRINGS if string in html.unescape(text)}
            # A mail carries its style in itself, and stands in a frame that runs nothing.
            is_mail = route.rule.endswith("/preview-mail")
            ran += [(route.name, run) for run in reader.runs if not (is_mail and " style=" in run)]
            assert "49${" not in text, route.name
            assert "{{49}}" not in text, route.name
    assert ran == []
    assert seen > 90
    assert len(shown) >= 10, shown
