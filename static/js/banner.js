// A banner that somebody put away stays away: this browser remembers it, the shop does not know.
// Runs before the page is drawn (no defer), so that nothing moves: <script src="…" data-banner="id">.
(function () {
  "use strict";
  var KEY = "banner-away";
  var id = document.currentScript.getAttribute("data-banner");

  function remembered() {
    try { return window.localStorage.getItem(KEY); } catch (blocked) { return null; }
  }

  if (remembered() === id) document.documentElement.classList.add("banner-away");
  document.addEventListener("click", function (event) {
    if (!event.target.closest || !event.target.closest("[data-dismiss]")) return;
    try { window.localStorage.setItem(KEY, id); } catch (blocked) { /* away on this page alone */ }
    document.documentElement.classList.add("banner-away");
    var main = document.getElementById("main");
    if (main) main.focus({ preventScroll: true });
  });
})();
