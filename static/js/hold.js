// The calm countdown. <time data-held-until="2026-11-17T19:32:00Z" data-lapsed="The hold has ended.">held until 14:32</time>
// Words stay as the server wrote them; seconds come only in the last two minutes; at the end the text says that it is over.
// With reduced motion the last two minutes change by the half minute. Screen readers hear the end, not the ticking.
(function () {
  "use strict";
  var LAST = 120;
  var calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
  // The server's clock counts, not the visitor's: <html data-now="..."> is when the page was made.
  var made = Date.parse(document.documentElement.getAttribute("data-now") || "");
  var ahead = isNaN(made) ? 0 : made - Date.now();
  var timer = 0;

  function now() {
    return Date.now() + ahead;
  }

  function words(left) {
    var s = calm ? Math.ceil(left / 30) * 30 : left;
    return Math.floor(s / 60) + ":" + String(s % 60).padStart(2, "0");
  }

  function lapse(el) {
    el.textContent = el.getAttribute("data-lapsed") || "The hold has ended";
    el.removeAttribute("data-held-until");
    el.classList.add("is-lapsed");
    var box = el.closest("[data-hold]");
    if (!box) return;
    box.setAttribute("role", "status");
    box.querySelectorAll("[data-when-held]").forEach(function (n) { n.hidden = true; });
    box.querySelectorAll("[data-when-lapsed]").forEach(function (n) { n.hidden = false; });
  }

  function tick() {
    window.clearTimeout(timer);
    var open = document.querySelectorAll("time[data-held-until]");
    var soonest = Infinity;
    open.forEach(function (el) {
      var left = Math.ceil((Date.parse(el.getAttribute("data-held-until")) - now()) / 1000);
      if (isNaN(left)) return;
      if (left <= 0) { lapse(el); return; }
      if (left <= LAST) {
        el.textContent = (el.getAttribute("data-last") || "held for {} more").replace("{}", words(left));
      }
      soonest = Math.min(soonest, left);
    });
    if (soonest === Infinity) return;
    // sleep until the last two minutes begin, then every second
    var wait = soonest > LAST ? Math.min((soonest - LAST) * 1000, 60000) : 1000;
    timer = window.setTimeout(tick, wait);
  }

  tick();
  document.addEventListener("visibilitychange", function () { if (!document.hidden) tick(); });
})();
