"""The policy allows no inline style, script or handler: no template holds one."""

import re
from pathlib import Path

import jinja2
import pytest

ROOT = Path(__file__).resolve().parents[3]
FACES = ("app", "storefront", "portal", "desk", "web")
TEMPLATES = [p for face in FACES for p in sorted((ROOT / face).rglob("templates/**/*.html"))]
CACHEABLE = (
    "storefront/home.html",
    "storefront/category.html",
    "storefront/product.html",
    "storefront/page.html",
)


def _markup(path: Path) -> str:
    """The template without its comments."""
    return re.sub(r"\{#.*?#\}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", TEMPLATES, ids=_name)
def test_a_template_holds_nothing_inline(path):
    text = _markup(path)
    assert not re.search(r"<style\b", text)
    assert not re.search(r"\sstyle\s*=", text)
    assert not re.search(r"\son[a-z]+\s*=\s*[\"']", text)
    assert not re.search(r"hx-on|hx-vals\s*=\s*[\"']js:|javascript:", text)
    for tag in re.findall(r"<script\b[^>]*>", text):
        assert re.search(r"\ssrc=\"\{\{ asset\(", tag), tag
    assert not re.search(r"(?:src|href|action)=\"(?:https?:)?//", text)


@pytest.mark.parametrize("path", TEMPLATES, ids=_name)
def test_a_template_can_be_read(path):
    environment = jinja2.Environment(autoescape=True)
    assert environment.parse(path.read_text(encoding="utf-8")) is not None


@pytest.mark.parametrize("path", TEMPLATES, ids=_name)
def test_a_form_that_posts_carries_its_token_unless_its_page_is_shared(path):
    text = _markup(path)
    forms = re.findall(r"<form\b[^>]*method=\"post\".*?</form>", text, flags=re.DOTALL)
    shared = 'action="/cart/lines"'  # guarded by the browser's own word on where it comes from
    for form in forms:
        assert "csrf_field()" in form or shared in form, form[:120]


@pytest.mark.parametrize("name", CACHEABLE)
def test_a_page_that_may_be_cached_asks_nothing_of_its_visitor(name):
    text = _markup(ROOT / "storefront" / "templates" / name)
    for word in ("csrf_field", "current_user", "get_flashed_messages", "cart_count", "session"):
        assert word not in text


def test_every_page_is_covered():
    assert len(TEMPLATES) > 40
