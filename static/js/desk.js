// The desk by keyboard: / search · j k up and down · Enter open · g then a letter to a list · ? the keys.
// Only on tables with data-rows; never while typing.
(function () {
  "use strict";
  var rows = Array.prototype.slice.call(document.querySelectorAll("table[data-rows] tbody tr"));
  var at = -1;
  var going = 0;
  var go = { t: "/desk", o: "/desk/orders", i: "/desk/invoices", p: "/desk/payments", j: "/desk/jobs" };

  function move(to) {
    if (!rows.length) return;
    if (at >= 0) rows[at].classList.remove("is-on");
    at = Math.max(0, Math.min(rows.length - 1, to));
    rows[at].classList.add("is-on");
    rows[at].scrollIntoView({ block: "nearest" });
    var link = rows[at].querySelector("a");
    if (link) link.focus({ preventScroll: true });
  }

  document.addEventListener("keydown", function (event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    var typing = event.target.closest && event.target.closest("input, select, textarea");
    if (typing) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    if (going && Date.now() - going < 1500 && go[event.key]) {
      window.location.assign(go[event.key]);
      return;
    }
    going = event.key === "g" ? Date.now() : 0;
    if (event.key === "j") move(at + 1);
    else if (event.key === "k") move(at < 0 ? 0 : at - 1);
    else if (event.key === "/") {
      var search = document.querySelector("input[type=search]");
      if (search) { event.preventDefault(); search.focus(); search.select(); }
    }
  });

  rows.forEach(function (row, i) {
    row.addEventListener("focusin", function () {
      if (at >= 0 && at !== i) rows[at].classList.remove("is-on");
      at = i;
      row.classList.add("is-on");
    });
  });
})();
