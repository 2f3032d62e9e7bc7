"""The form of a page: a part for each block, made from what its kind holds, and what was typed into it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from wtforms import BooleanField, Form, SelectField, StringField, TextAreaField
from wtforms.fields import SelectChoice

from cms_content import blocks
from cms_content.blocks import ITEMS, KINDS, NAMES, Content

#: Of each field its label, its sort, and a hint.
_FIELDS: dict[str, tuple[str, str, str]] = {
    "anchor": ("Name in addresses", "line", "Such as speeds: links lead here with #speeds"),
    "title": ("Title", "line", ""),
    "lede": ("First sentence", "text", ""),
    "text": ("Text", "long", "Markdown: **bold**, [words](/address), # head, - list"),
    "picture": ("Picture", "picture", ""),
    "caption": ("Line below it", "line", ""),
    "wide": ("As wide as the page", "tick", ""),
    "button_label": ("Button", "line", "The verb says what happens"),
    "button_href": ("Button leads to", "line", "/c/internet, #speeds or https://…"),
    "also_label": ("Also a link", "line", ""),
    "also_href": ("Link leads to", "line", ""),
    "clip": ("Video", "video", "One that was uploaded: it plays in the page"),
    "href": (
        "Address",
        "line",
        "Begins with https://: it plays there, and its picture leads to it",
    ),
    "rule": ("Which products", "rule", ""),
    "category": ("Category", "category", ""),
    "skus": ("SKUs", "skus", "One a line, in the order of the page"),
    "most": ("How many at most", "number", "1 to 24"),
    "link_label": ("Link beside the title", "line", ""),
    "link_href": ("It leads to", "line", ""),
    "sku": ("SKU", "line", ""),
    "figure": ("Large figure", "line", ""),
    "unit": ("Its unit", "line", ""),
    "note": ("Beside the name", "line", ""),
    "points": ("Points", "lines", "One a line"),
    "foot": ("Below it", "text", ""),
    "question": ("Question", "line", ""),
    "answer": ("Answer", "long", "Markdown"),
    "quote": ("What they said", "text", ""),
    "who": ("Who", "line", ""),
    "what": ("What they are", "line", ""),
}
_RULES = (("category", "The first of a category"), ("chosen", "Chosen ones"))
_LISTS = {"skus", "points"}
_AREAS = {"text": 3, "long": 8, "lines": 4, "skus": 4}
#: Words that only some kinds have, in place of the general ones.
_INSTEAD = {
    ("video", "text"): ("What it shows and says", "long", "For those who cannot see or hear it"),
    ("offer", "text"): ("Text", "text", "Else what the product says of itself"),
    ("offer", "title"): ("Title", "line", "Else the product’s name"),
    ("badges", "text"): ("Sentence", "text", ""),
}


@dataclass(frozen=True)
class Offered:
    """What there is to choose from."""

    pictures: Sequence[tuple[str, str]]
    categories: Sequence[tuple[str, str]]
    videos: Sequence[tuple[str, str]] = ()


@dataclass
class Part:
    """One block on the form."""

    kind: str
    form: Any
    items: list[Any] = field(default_factory=list)

    @property
    def name(self) -> str:
        """What people call it."""
        return NAMES[self.kind]

    @property
    def first_words(self) -> str:
        """So that it is known when it is folded."""
        for name in ("title", "text", "quote", "caption", "sku"):
            if name in self.form and self.form[name].data:
                return str(self.form[name].data).strip().split("\n")[0][:70]
        return ""

    @property
    def is_wrong(self) -> bool:
        """Is there an error on it?"""
        return any(one.errors for form in (self.form, *self.items) for one in form)


class SeoForm(Form):
    """What search engines are told."""

    description = TextAreaField("Description")
    canonical = StringField("The page that counts")
    noindex = BooleanField("Keep it out of search engines")
    og_title = StringField("Title where it is shared")
    og_description = TextAreaField("Description where it is shared")
    og_picture = SelectField("Picture where it is shared", validate_choice=False)


class HeadForm(Form):
    """The page's own title."""

    title = StringField("Title of the page")


def _form_of(kind: str, names: Iterable[str], offered: Offered) -> type[Form]:
    made: dict[str, Any] = {}
    for name in names:
        label, sort, hint = _INSTEAD.get((kind, name), _FIELDS[name])
        made[name] = _field(label, sort, hint, offered)
    return type("BlockForm", (Form,), made)


def _field(label: str, sort: str, hint: str, offered: Offered) -> Any:
    choices = {
        "picture": offered.pictures,
        "category": offered.categories,
        "rule": _RULES,
        "video": offered.videos,
    }
    if sort in choices:
        listed = [SelectChoice(value, text) for value, text in choices[sort]]
        return SelectField(label, description=hint, choices=listed, validate_choice=False)
    if sort in _AREAS:
        return TextAreaField(label, description=hint, render_kw={"rows": _AREAS[sort]})
    if sort == "tick":
        return BooleanField(label)
    number = {"inputmode": "numeric"} if sort == "number" else {}
    return StringField(label, description=hint, render_kw=number)


def _names(model: type[blocks.Piece]) -> list[str]:
    """The fields of a piece that are typed, the anchor last."""
    skipped = {"kind", "items", "columns"}
    names = [name for name in model.model_fields if name not in skipped]
    return sorted(names, key=lambda name: name == "anchor")


@dataclass
class PageForm:
    """All of a page, as it is typed."""

    head: Any
    seo: Any
    parts: list[Part]

    @classmethod
    def of(cls, content: Content, offered: Offered) -> "PageForm":
        """The form with what a draft says."""
        parts = [
            _part(at, block.kind, block.model_dump(), offered)
            for at, block in enumerate(content.blocks)
        ]
        seo = _seo(offered, data=content.seo.model_dump())
        return cls(HeadForm(data={"title": content.title}), seo, parts)

    @classmethod
    def typed(cls, given: Any, offered: Offered) -> "PageForm":
        """The form with what was sent."""
        count = _number(given.get("blocks"), blocks.MOST_BLOCKS)
        parts: list[Part] = []
        for at in range(count):
            kind = given.get(f"b{at}-kind", "")
            if kind in KINDS:
                parts.append(_typed_part(len(parts), at, kind, given, offered))
        return cls(HeadForm(given), _seo(offered, given), parts)

    def data(self) -> dict[str, Any]:
        """What was typed, as ``checks.read`` takes it."""
        return {
            "title": self.head.title.data or "",
            "seo": {name: value or "" for name, value in self.seo.data.items()}
            | {"noindex": bool(self.seo.noindex.data)},
            "blocks": [_block(part) for part in self.parts],
        }

    def show(self, wrong: Mapping[str, str]) -> list[str]:
        """Put errors next to their fields; answers those that have none."""
        others = []
        for place, text in wrong.items():
            found = self._find(place.split("."))
            if found is None:
                others.append(text)
            else:
                found.errors = [*found.errors, text]
        return others

    def _find(self, place: list[str]) -> Any:
        match place:
            case ["title"]:
                return self.head.title
            case ["seo", name] if name in self.seo:
                return self.seo[name]
            case ["blocks", at, name, *_] if name in self._form(at):
                return self._form(at)[name]
            case ["blocks", at, "items" | "columns"]:
                items = self._part(at).items
                return next(iter(items[0])) if items else None
            case ["blocks", at, "items" | "columns", number, name, *_]:
                items = self._part(at).items
                return items[int(number)][name] if int(number) < len(items) else None
        return None

    def _part(self, at: str) -> Part:
        return self.parts[int(at)]

    def _form(self, at: str) -> Any:
        return self.parts[int(at)].form if at.isdecimal() and int(at) < len(self.parts) else ()


def _number(text: str | None, most: int) -> int:
    return min(int(text), most) if text and text.isdecimal() and len(text) < 4 else 0


def _seo(offered: Offered, given: Any = None, data: Any = None) -> Any:
    form = SeoForm(given, prefix="seo-", data=data)
    form.og_picture.choices = [SelectChoice(value, text) for value, text in offered.pictures]
    return form


def _shown(name: str, value: Any) -> Any:
    if name in _LISTS:
        return "\n".join(value)
    return value if isinstance(value, bool) else str(value)


def _part(at: int, kind: str, data: Mapping[str, Any], offered: Offered) -> Part:
    def made(model: type[blocks.Piece], prefix: str, values: Mapping[str, Any]) -> Any:
        names = _names(model)
        shown = {name: _shown(name, values[name]) for name in names}
        return _form_of(kind, names, offered)(prefix=prefix, data=shown)

    part = Part(kind, made(KINDS[kind], f"b{at}-", data))
    if kind in ITEMS:
        name, model = ITEMS[kind]
        listed = [*data[name], model().model_dump()]
        part.items = [made(model, f"b{at}-{n}-", one) for n, one in enumerate(listed)]
    return part


def _typed_part(at: int, was: int, kind: str, given: Any, offered: Offered) -> Part:
    """The part that was sent as number ``was``; its fields keep what was typed under number ``at``."""

    def made(model: type[blocks.Piece], tail: str) -> Any:
        names = _names(model)
        typed = _form_of(kind, names, offered)(given, prefix=f"b{was}-{tail}")
        return _form_of(kind, names, offered)(prefix=f"b{at}-{tail}", data=typed.data)

    part = Part(kind, made(KINDS[kind], ""))
    if kind in ITEMS:
        _, model = ITEMS[kind]
        count = _number(given.get(f"b{was}-count"), blocks.MOST_ITEMS + 1)
        part.items = [made(model, f"{number}-") for number in range(count)]
    return part


def _block(part: Part) -> dict[str, Any]:
    found: dict[str, Any] = {"kind": part.kind, **_values(part.form)}
    if part.kind in ITEMS:
        name, _ = ITEMS[part.kind]
        # What is empty is left out; the others keep their places, so that errors find them.
        values = [_values(one) for one in part.items]
        found[name] = [one for one in values if any(one.values())]
        part.items = [
            form for form, one in zip(part.items, values, strict=True) if any(one.values())
        ]
    return found


def _values(form: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in form.data.items():
        text = value if isinstance(value, bool) else (value or "").replace("\r\n", "\n").strip()
        if name in _LISTS:
            text = [
                line.strip() for line in str(text).replace(",", "\n").split("\n") if line.strip()
            ]
            if name == "points":
                text = [line.strip() for line in str(value or "").splitlines() if line.strip()]
        elif name == "most":
            text = int(text) if str(text).isdecimal() and len(str(text)) < 4 else (text or 8)
        found[name] = text
    return found
