// A form is sent once: its buttons rest after the first submit, and wake when the page is shown again (back button).
// A form with data-on-change sends itself when a field changes, by the button of that id if it names one.
// Also: the stepper's minus and plus, radio buttons that change an amount shown beside them, the error summary gets the focus;
// without errors, what the last press asked for ([data-arrive]) comes into sight.
(function () {
  "use strict";

  function rest(form, submitter) {
    form.setAttribute("data-sent", "");
    form.querySelectorAll("button:not([type=button]), input[type=submit]").forEach(function (b) {
      b.setAttribute("aria-disabled", "true");
    });
    if (submitter) submitter.setAttribute("data-busy", "");
  }

  function wake() {
    document.querySelectorAll("form[data-sent]").forEach(function (form) {
      form.removeAttribute("data-sent");
      form.querySelectorAll("[aria-disabled]").forEach(function (b) {
        b.removeAttribute("aria-disabled");
        b.removeAttribute("data-busy");
      });
    });
  }

  document.addEventListener("submit", function (event) {
    var form = event.target;
    if (event.defaultPrevented || form.hasAttribute("data-many") || form.method !== "post") return;
    if (form.hasAttribute("data-sent")) { event.preventDefault(); return; }
    // after the browser has read the submitter's value
    window.setTimeout(function () { rest(form, event.submitter); }, 0);
  });
  window.addEventListener("pageshow", function (event) { if (event.persisted) wake(); });

  document.addEventListener("click", function (event) {
    var step = event.target.closest("button[data-step]");
    if (!step) return;
    var input = step.parentNode.querySelector("input");
    var next = Number(input.value || 0) + Number(step.getAttribute("data-step"));
    var min = input.min === "" ? 0 : Number(input.min);
    var max = input.max === "" ? Infinity : Number(input.max);
    input.value = String(Math.min(max, Math.max(min, next)));
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });

  // <input data-shows="id" data-text="$229.00">: the chosen one's text appears in #id
  document.addEventListener("change", function (event) {
    var input = event.target;
    var submit = input.closest && input.closest("form[data-on-change]");
    if (submit) {
      submit.requestSubmit(document.getElementById(submit.getAttribute("data-on-change")) || undefined);
      return;
    }
    if (!input.dataset || !input.dataset.shows || !input.checked) return;
    input.dataset.shows.split(" ").forEach(function (id) {
      var from = document.getElementById(id + "-" + input.value);
      var to = document.getElementById(id);
      if (from && to) to.replaceChildren(from.content.cloneNode(true));
    });
  });

  var summary = document.querySelector("[data-error-summary]");
  var arrive = document.querySelector("[data-arrive]");
  if (summary) summary.focus();
  else if (arrive) arrive.scrollIntoView({ block: "nearest" });
})();
