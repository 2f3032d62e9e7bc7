// The payment return page. The page only reads; this posts its one form (form[data-autopost]) once, as its button would.
// Coming back with the browser's back button shows the button and posts nothing again.
(function () {
  "use strict";
  var form = document.querySelector("form[data-autopost]");
  if (!form) return;
  var nav = performance.getEntriesByType("navigation")[0];
  if (nav && nav.type === "back_forward") return;
  var wait = Number(form.getAttribute("data-autopost")) || 0;
  var sent = false;
  window.addEventListener("pageshow", function (event) {
    if (event.persisted || sent) return;
    sent = true;
    window.setTimeout(function () { form.requestSubmit ? form.requestSubmit() : form.submit(); }, wait);
  });
})();
