// On a phone the pay bar stands at the foot of the screen while the stub's own button is out of sight.
// <div class="paybar" data-paybar-for="id-of-the-button" hidden>
(function () {
  "use strict";
  document.querySelectorAll("[data-paybar-for]").forEach(function (bar) {
    var button = document.getElementById(bar.getAttribute("data-paybar-for"));
    if (!button || !("IntersectionObserver" in window)) return;
    new IntersectionObserver(function (seen) {
      bar.hidden = seen[seen.length - 1].isIntersecting;
    }).observe(button);
  });
})();
