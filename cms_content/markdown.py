"""Merchants' Markdown to safe HTML: no raw HTML, no picture, links that lead only where links may lead."""

from functools import lru_cache

import nh3
from markdown_it import MarkdownIt

from cms_content.fields import is_link

_TAGS = {
    *("p", "br", "hr", "em", "strong", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a"),
    *("h2", "h3", "h4", "table", "thead", "tbody", "tr", "th", "td"),
}
_RULES = (
    *("emphasis", "strikethrough", "link", "autolink", "backticks", "list", "heading", "lheading"),
    *("blockquote", "fence", "code", "hr", "newline", "escape", "entity", "table", "reference"),
)


def _reader() -> MarkdownIt:
    reader = MarkdownIt("zero", {"html": False}).enable(list(_RULES))
    reader.validateLink = is_link  # type: ignore[method-assign,assignment]  # as the library documents
    return reader


_READER = _reader()


@lru_cache(maxsize=1024)
def html(text: str) -> str:
    """The text as HTML. A page has one title: whatever sign a text begins its heads with, they are of the
    second rank, and those below them follow.
    """
    tokens = _READER.parse(text)
    heads = [token for token in tokens if token.type in ("heading_open", "heading_close")]
    highest = min((int(token.tag[1]) for token in heads), default=1)
    for token in heads:
        token.tag = f"h{min(int(token.tag[1]) - highest + 2, 4)}"
    made: str = _READER.renderer.render(tokens, _READER.options, {})
    return nh3.clean(
        made,
        tags=_TAGS,
        attributes={"a": {"href"}, "ol": {"start"}},
        url_schemes={"https", "mailto", "tel"},
        link_rel="noopener",
        strip_comments=True,
    )
