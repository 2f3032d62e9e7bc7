// The preview beside the form follows the typing: the form is sent to the preview's address (nothing is saved there), and
// what comes back takes the place of the page in the frame. The frame is our own origin; nothing runs in it anew.
(function () {
  "use strict";
  var form = document.querySelector("form[data-editor]");
  var view = document.querySelector(".ed__view");
  if (!form || !view || !window.fetch) return;
  var frame = view.querySelector("iframe");
  var said = form.querySelector("[data-preview-said]");
  var timer = 0;
  var asked = 0;
  view.hidden = false;
  view.parentNode.classList.add("ed--two");

  // In the preview nothing leads away and nothing is sent.
  function still() {
    var page = frame.contentDocument;
    if (!page) return;
    ["click", "submit"].forEach(function (kind) {
      page.addEventListener(kind, function (event) {
        var on = event.target.closest && event.target.closest("a, button, form");
        if (on && !(event.target.closest("summary"))) event.preventDefault();
      }, true);
    });
  }

  function show(html) {
    var page = frame.contentDocument;
    var old = page && page.getElementById("main");
    var made = new DOMParser().parseFromString(html, "text/html").getElementById("main");
    if (!old || !made) return;
    old.replaceWith(page.importNode(made, true));
  }

  function follow() {
    var mine = ++asked;
    fetch(form.getAttribute("data-preview"), { method: "POST", body: new FormData(form), credentials: "same-origin" })
      .then(function (answer) {
        if (mine !== asked) return "";
        if (answer.status === 422) { said.textContent = "Something on the form cannot be taken yet"; return ""; }
        if (!answer.ok) { said.textContent = "The preview does not answer"; return ""; }
        said.textContent = "";
        return answer.text();
      })
      .then(function (html) { if (html) show(html); })
      .catch(function () { said.textContent = "The preview does not answer"; });
  }

  frame.addEventListener("load", function () { still(); follow(); });
  form.addEventListener("input", function () {
    window.clearTimeout(timer);
    timer = window.setTimeout(follow, 400);
  });

  // What was typed and not saved is not lost by a click in the wrong place.
  var typed = false;
  form.addEventListener("input", function () { typed = true; });
  form.addEventListener("submit", function () { typed = false; });
  window.addEventListener("beforeunload", function (event) { if (typed) event.preventDefault(); });
})();
