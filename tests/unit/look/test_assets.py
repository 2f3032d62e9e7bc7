"""Everything under static/ stands alone: whole, ours, and asking nothing of anybody else."""

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
STATIC = ROOT / "static"
DRAWINGS = sorted(STATIC.rglob("*.svg"))
PRODUCTS = sorted((STATIC / "img" / "products").glob("*.svg"))
SHEETS = sorted((STATIC / "css").glob("*.css"))
TEMPLATES = [
    path
    for face in ("app", "storefront", "portal", "desk")
    for path in sorted((ROOT / face).rglob("templates/**/*.html"))
]
SVG = "{http://www.w3.org/2000/svg}"
XLINK = "{http://www.w3.org/1999/xlink}href"


@pytest.mark.parametrize("path", DRAWINGS, ids=lambda path: path.stem)
def test_a_drawing_is_well_formed_and_asks_for_nothing(path):
    root = ElementTree.parse(path).getroot()
    assert root.tag == f"{SVG}svg"
    assert root.get("viewBox")
    for element in root.iter():
        assert element.tag != f"{SVG}script"
        assert element.tag != f"{SVG}foreignObject"
        assert not [name for name in element.attrib if name.lower().startswith("on")]
        for name in ("href", XLINK):
            assert (element.get(name) or "#").startswith("#")
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"url\((?!#)", text)
    assert "@import" not in text


@pytest.mark.parametrize("path", PRODUCTS, ids=lambda path: path.stem)
def test_a_product_is_drawn_in_the_one_family(path):
    root = ElementTree.parse(path).getroot()
    assert root.get("viewBox") == "0 0 320 240"
    title = root.find(f"{SVG}title")
    assert title is not None
    assert title.text
    style = root.find(f"{SVG}style")
    assert style is not None
    assert "prefers-color-scheme:dark" in (style.text or "")
    assert "#23503d" in (style.text or "")  # the family's darkest tone


def test_there_are_drawings_for_the_whole_shelf():
    assert len(PRODUCTS) >= 16


@pytest.mark.parametrize("path", SHEETS, ids=lambda path: path.name)
def test_a_style_sheet_names_only_what_is_shipped(path):
    text = path.read_text(encoding="utf-8")
    assert "@import" not in text
    for found in re.findall(r"url\(\"?([^)\"]+)\"?\)", text):
        assert (path.parent / found).resolve().is_file(), found


@pytest.mark.parametrize("path", SHEETS, ids=lambda path: path.name)
def test_a_style_sheet_names_only_tokens_that_exist(path):
    tokens = (STATIC / "css" / "tokens.css").read_text(encoding="utf-8")
    known = set(re.findall(r"(--[\w-]+):", tokens))
    used = set(re.findall(r"var\((--[\w-]+)", path.read_text(encoding="utf-8")))
    assert used <= known


@pytest.mark.parametrize(
    "path", [p for p in SHEETS if p.name not in ("tokens.css", "print.css")], ids=lambda p: p.name
)
def test_a_colour_is_written_in_the_tokens_alone(path):
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b", path.read_text(encoding="utf-8")) == []


def test_the_fonts_are_shipped_with_their_licences():
    fonts = {path.name: path for path in (STATIC / "fonts").iterdir()}
    for name in ("fraunces-latin-opsz-normal", "source-sans-3-latin-wght-normal", "bill-ocr"):
        assert fonts[f"{name}.woff2"].read_bytes()[:4] == b"wOF2"
    for name in ("Fraunces-OFL.txt", "SourceSans3-OFL.txt"):
        assert "SIL OPEN FONT LICENSE" in fonts[name].read_text(encoding="utf-8").upper()
    assert "public domain" in fonts["bill-ocr.txt"].read_text(encoding="utf-8")


def test_the_vendored_script_has_its_licence_and_its_version():
    script = (STATIC / "vendor" / "htmx.min.js").read_text(encoding="utf-8")
    assert re.search(r'version:"2\.0\.\d+"', script)
    assert "BSD" in (STATIC / "vendor" / "htmx-LICENSE.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: "/".join(path.parts[-2:]))
def test_every_asset_that_a_template_names_exists(path):
    for name in re.findall(r"asset\('([^']+)'\)", path.read_text(encoding="utf-8")):
        assert (STATIC / name).is_file(), name
    for name in re.findall(r"[\"'](img/[^\"']+\.svg)[\"']", path.read_text(encoding="utf-8")):
        assert (STATIC / name).is_file(), name


def test_no_script_evaluates_or_writes_markup():
    for path in sorted((STATIC / "js").glob("*.js")):
        text = path.read_text(encoding="utf-8")
        for banned in (
            "eval(",
            "new Function",
            "innerHTML",
            "document.write",
            "http://",
            "https://",
        ):
            assert banned not in text, f"{path.name}: {banned}"
