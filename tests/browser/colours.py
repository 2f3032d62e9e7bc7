"""Whether what a page says can be read: axe's rule about contrast, once for each set of colours.

Axe takes longer over contrast than over all of its other rules, and the pages of a shop have the same few
colours. So each text is known by its look: its colour, size and weight, and the grounds that it stands on.
What axe found good is not asked about again; a text with a look that is new, or that axe could not make up
its mind about, is.
"""

from playwright.sync_api import Page

#: The looks that axe found good, in this process.
_GOOD: set[str] = set()

# Whatever else may change what is seen is part of a look. What lies over other things without a ground of
# its own has none, and is judged each time; so is what is switched off, which axe passes over.
_UNREADABLE = """async good => {
  const known = new Set(good), looks = new Map();
  // What its ancestors add to a look: null where none can be told. Each is asked once, and once more beneath
  // a ground of its own, where only what shines through everything still counts.
  const above = [new Map(), new Map()];
  const adds = (at, grounded) => {
    if (!at) return "";
    const known = above[+grounded];
    if (known.has(at)) return known.get(at);
    const style = getComputedStyle(at), ground = style.backgroundColor, parts = [];
    let stands = grounded, found = null;
    if (style.filter !== "none" || style.mixBlendMode !== "normal" || style.opacity !== "1")
      parts.push(style.filter, style.mixBlendMode, style.opacity);
    if (!grounded) {
      if (style.backgroundImage !== "none") parts.push(style.backgroundImage);
      if (ground !== "rgba(0, 0, 0, 0)") parts.push(ground);
      stands = ground.startsWith("rgb(");
    }
    if (stands || !["absolute", "fixed", "sticky"].includes(style.position)) {
      const rest = adds(at.parentElement, stands);
      if (rest !== null) found = [...parts, rest].join("|");
    }
    known.set(at, found);
    return found;
  };
  const look = element => {
    if (element.closest(":disabled, [aria-disabled='true']")) return null;
    const own = getComputedStyle(element), under = adds(element, false);
    return under === null ? null : [own.color, own.fontSize, own.fontWeight, own.textShadow, under].join("|");
  };
  const says = element => element.matches("input, select, textarea") ||
    [...element.childNodes].some(node => node.nodeType === Node.TEXT_NODE && node.data.trim());
  const asked = [];
  for (const element of document.body.querySelectorAll("*")) {
    if (!says(element) || !element.checkVisibility({visibilityProperty: true})) continue;
    if (element.closest(".vh, .skip:not(:focus), [aria-hidden='true'], [inert]")) continue; // as axe does
    const its = look(element);
    if (its !== null && known.has(its)) continue;
    looks.set(element, its);
    asked.push(element);
  }
  if (!asked.length) return [[], []];
  const found = await axe.run({include: asked}, {
    runOnly: ["color-contrast"], resultTypes: ["violations", "passes"], elementRef: true,
    preload: false, iframes: false});
  const of = kind => found[kind].flatMap(one => one.nodes);
  const fresh = of("passes").map(node => looks.get(node.element)).filter(Boolean);
  return [of("violations").map(node => node.html), [...new Set(fresh)]];
}"""


def unreadable(page: Page) -> list[str]:
    """The elements whose text has too little contrast with its ground; needs axe in the page."""
    found, good = page.evaluate(_UNREADABLE, sorted(_GOOD))
    _GOOD.update(good)
    return list(found)
