"""Documents as PDF/A-3a and PDF/UA-1, the same bytes from the same document: the only importer of
WeasyPrint.

Called by the worker once for each issued document, whose bytes are then stored under their hash,
and for drafts on demand. What a process needs again (fonts, style sheets, the colour profile) is
made once. Pango may be missing on a machine: ``available`` says so, everything else still works.
"""

import atexit
import base64
import contextlib
import gc
import hashlib
import io
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from importlib.resources import files
from threading import Lock
from typing import Any, ClassVar
from xml.etree import ElementTree

from core.kernel.errors import ShopError
from invoices import markup, pdf_file
from invoices.markup import INVOICES, Printable, Typesetting
from invoices.theme import PLAIN, Theme

MEDIA_TYPE = "application/pdf"
COLOURS = "shop-srgb"
OPTIONS = {"pdf_variant": "pdf/a-3a", "pdf_tags": True, "output_intent": COLOURS}
BOX = "\N{WHITE SQUARE}"
COLLECT_EVERY = 10  # documents between two collections of reference cycles
UA_SCHEMA = (
    b'<rdf:Description rdf:about="" xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/">'
    b"<pdfuaid:part>1</pdfuaid:part></rdf:Description>"
    b'<rdf:Description rdf:about="" xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/"'
    b' xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#"'
    b' xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#"><pdfaExtension:schemas><rdf:Bag>'
    b'<rdf:li rdf:parseType="Resource"><pdfaSchema:schema>PDF/UA Universal Accessibility Schema'
    b"</pdfaSchema:schema><pdfaSchema:namespaceURI>http://www.aiim.org/pdfua/ns/id/"
    b"</pdfaSchema:namespaceURI><pdfaSchema:prefix>pdfuaid</pdfaSchema:prefix>"
    b'<pdfaSchema:property><rdf:Seq><rdf:li rdf:parseType="Resource"><pdfaProperty:name>part'
    b"</pdfaProperty:name><pdfaProperty:valueType>Integer</pdfaProperty:valueType>"
    b"<pdfaProperty:category>internal</pdfaProperty:category><pdfaProperty:description>"
    b"Indicates, which part of ISO 14289 standard is followed</pdfaProperty:description></rdf:li>"
    b"</rdf:Seq></pdfaSchema:property></rdf:li></rdf:Bag></pdfaExtension:schemas>"
    b"</rdf:Description></rdf:RDF>"
)


@dataclass(eq=False)
class ForeignAsset(ShopError):
    """A theme's mark points to something that is not packaged: nothing was fetched."""

    code: ClassVar[str] = "foreign_asset"
    text: ClassVar[str] = "A printed document may not use {address}."
    address: str


@dataclass(eq=False)
class PdfsUnavailable(ShopError):
    """This machine lacks what PDFs are made with; pages in HTML are as good as ever."""

    code: ClassVar[str] = "pdfs_unavailable"
    text: ClassVar[str] = "{reason}"
    reason: str


@dataclass(frozen=True)
class RenderedDocument:
    """Bytes to be stored under ``sha256``, with the versions of what made them."""

    bytes: bytes
    sha256: str
    media_type: str
    template_version: str
    renderer_version: str
    fonts_version: str


@lru_cache(maxsize=1)
def available() -> str | None:
    """None when PDFs can be made here, else a sentence that says what is missing."""
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            _weasyprint()
    except (ImportError, OSError) as error:
        return f"PDFs need Pango (libpango-1.0-0, libpangoft2-1.0-0): {error}"
    return None


def render(
    document: Printable, *, theme: Theme = PLAIN, typesetting: Typesetting = INVOICES
) -> RenderedDocument:
    """The document as PDF. The same document, theme and versions always give the same bytes.
    PdfsUnavailable where ``available`` names a reason."""
    pdf = _press().print(document, theme, typesetting)
    return RenderedDocument(
        bytes=pdf,
        sha256=hashlib.sha256(pdf).hexdigest(),
        media_type=MEDIA_TYPE,
        template_version=typesetting.version(),
        renderer_version=renderer_version(),
        fonts_version=markup.fonts_version(),
    )


@lru_cache(maxsize=1)
def renderer_version() -> str:
    """The libraries that shape the bytes: two by name, the others as a short hash."""
    weasyprint = _weasyprint()
    from weasyprint.text.ffi import harfbuzz_subset, pango

    number = pango.pango_version()
    others = f"{version('pydyf')} {zlib.ZLIB_RUNTIME_VERSION} {harfbuzz_subset is not None}"
    return (
        f"wp {weasyprint.__version__} pango {number // 10000}.{number // 100 % 100}.{number % 100} "
        f"{hashlib.sha256(others.encode()).hexdigest()[:8]}"
    )


def _weasyprint() -> Any:
    with warnings.catch_warnings():
        # The machine's own fonts are not needed, and a slower way to subset is still a way.
        warnings.simplefilter("ignore")
        import weasyprint
    return weasyprint


@lru_cache(maxsize=1)
def _press() -> "_Press":
    if reason := available():
        raise PdfsUnavailable(reason)
    atexit.register(_press.cache_clear)  # its fonts' folder goes with it
    return _Press()


class _Press:
    """One process's renderer, used by one thread at a time."""

    def __init__(self) -> None:
        self.weasyprint = _weasyprint()
        from weasyprint.css import ColorProfile
        from weasyprint.text.fonts import FontConfiguration

        packaged = files("weasyprint.pdf").joinpath("sRGB2014.icc").read_bytes()

        class Profile(ColorProfile):  # type: ignore[misc]  # the library has no types
            # Once its name was asked for, the library writes the profile anew, 92 bytes longer.
            content = packaged

        channels = (["r"], ["g"], ["b"])
        intent = "relative-colorimetric"
        self.colours = {COLOURS: Profile(io.BytesIO(packaged), COLOURS, intent, channels)}
        self.fonts = FontConfiguration()
        self.lock = Lock()
        self.printed = 0
        self.sheets: dict[tuple[Theme, str, Typesetting], Any] = {}

    def print(self, document: Printable, theme: Theme, typesetting: Typesetting) -> bytes:
        """The document's bytes."""
        with self.lock, _without_collection():
            pdf = self._print(document, theme, typesetting)
            self.printed += 1
        if self.printed == 1:
            gc.collect()
            gc.freeze()
        elif self.printed % COLLECT_EVERY == 0:
            gc.collect()
        return pdf

    def _print(self, document: Printable, theme: Theme, typesetting: Typesetting) -> bytes:
        pictures = {}
        if document.pay_url and document.asks_for_money:
            pictures["asset:pay.png"] = ("image/png", markup.qr_picture(document.pay_url))
        if theme.mark:
            pictures["asset:mark.svg"] = _mark(theme.mark)
        fetcher = _fetcher(pictures)
        qr = "asset:pay.png" if "asset:pay.png" in pictures else ""
        text = typesetting.xhtml(document, theme, qr)
        sheet = self._sheet(theme, document.locale, typesetting)
        pdf, unknown = self._typeset(text, fetcher, sheet)
        if unknown:
            # No font here has these characters: an archive wants a box, not an undefined shape.
            pdf, _ = self._typeset(text.translate(dict.fromkeys(unknown, BOX)), fetcher, sheet)
        return pdf

    def _typeset(self, text: str, fetcher: Any, sheet: Any) -> tuple[bytes, set[int]]:
        """The markup as PDF, and the characters that no font at hand has."""
        html = self._html(text, fetcher, sheet)
        pages = html.render(font_config=self.fonts, color_profiles=self.colours, **OPTIONS)
        metadata = pages.metadata
        metadata.generate_rdf_metadata = _with_ua(metadata.generate_rdf_metadata)
        pdf: bytes = pages.write_pdf(finisher=_finish, **OPTIONS)
        if fetcher.refused:
            raise ForeignAsset(fetcher.refused[0])
        return pdf, {point for font in pages.fonts.values() for point in font.missing}

    def _html(self, text: str, fetcher: Any, sheet: Any) -> Any:
        """What ``weasyprint.HTML`` would make of the text, read by the faster XML parser and with
        our own short default style."""
        wrap = self.weasyprint.cssselect2.ElementWrapper.from_html_root
        # Markup of our own template, every value in it escaped: it can declare no entity.
        root = wrap(ElementTree.fromstring(text), content_language=None)  # noqa: S314

        class Markup(self.weasyprint.HTML):  # type: ignore[misc, name-defined]  # imported late
            def __init__(self) -> None:
                self.base_url = None
                self.url_fetcher = fetcher
                self.media_type = "print"
                self.wrapper_element = root
                self.etree_element = root.etree_element

            def _ua_stylesheets(self, forms: bool = False) -> list[Any]:
                return [sheet]

        return Markup()

    def _sheet(self, theme: Theme, locale: str, typesetting: Typesetting) -> Any:
        key = (theme, theme.paper_for(locale), typesetting)
        if key not in self.sheets:
            self.sheets[key] = self.weasyprint.CSS(
                string=typesetting.style(theme, locale),
                font_config=self.fonts,
                url_fetcher=_fetcher({}),
            )
        return self.sheets[key]


@contextlib.contextmanager
def _without_collection() -> Iterator[None]:
    """Reference cycles wait: a collection in the middle of a layout costs more than it frees."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _mark(mark: str) -> tuple[str, bytes]:
    """A theme's mark: the text of an SVG, or a picture as a ``data:`` address."""
    if not mark.startswith("data:image/"):
        return "image/svg+xml", mark.encode()
    kind, _, data = mark.removeprefix("data:").partition(";base64,")
    return kind, base64.b64decode(data)


def _fetcher(pictures: dict[str, tuple[str, bytes]]) -> Any:
    """Opens packaged assets and this document's own pictures; refuses every other address."""
    from weasyprint.urls import URLFetcher, URLFetcherResponse

    class Assets(URLFetcher):  # type: ignore[misc]  # the library has no types
        def __init__(self) -> None:
            super().__init__()
            self.refused: list[str] = []

        def fetch(self, url: str, headers: Any = None) -> Any:
            if url in pictures:
                kind, content = pictures[url]
                return URLFetcherResponse(url, content, {"Content-Type": kind})
            try:
                return URLFetcherResponse(url, markup.asset(url.removeprefix("asset:")))
            except LookupError:
                self.refused.append(url)
                raise

    return Assets()


def _with_ua(generate: Any) -> Any:
    """Adds the PDF/UA part, and the schema that PDF/A wants for it, to the one rdf:RDF."""

    def generate_both(variant: str, version: int, conformance: str) -> bytes:
        rdf: bytes = generate(variant, version, conformance)
        return rdf.removesuffix(b"</rdf:RDF>") + UA_SCHEMA

    return generate_both


def _finish(_document: Any, pdf: Any) -> None:
    """Have the file written by our own writer, once."""
    pdf.write = lambda output, *_options: pdf_file.write(pdf, output)
