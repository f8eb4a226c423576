"use strict";
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  const all = (selector) => Array.from(document.querySelectorAll(selector));
  const builds = all("article.build");
  const dots = all("a.dot");
  const status = document.getElementById("status");

  // One build is shown at a time; the address keeps which one.
  const show = (id, move) => {
    const wanted = document.getElementById("build-" + id);
    if (!wanted) return;
    builds.forEach((build) => { build.hidden = build !== wanted; });
    dots.forEach((dot) => {
      const chosen = dot.dataset.point === id;
      dot.classList.toggle("chosen", chosen);
      if (chosen) dot.setAttribute("aria-current", "true"); else dot.removeAttribute("aria-current");
    });
    const heading = wanted.querySelector("h2");
    status.textContent = heading.textContent;
    if (move) {
      heading.focus({ preventScroll: true });
      wanted.scrollIntoView({ block: "start" });
    }
  };
  document.addEventListener("click", (event) => {
    const link = event.target.closest('a[href^="#build-"]');
    if (!link) return;
    event.preventDefault();
    hide();
    const id = link.getAttribute("href").slice("#build-".length);
    history.replaceState(null, "", "#build-" + id);
    show(id, true);
  });

  // What a point is: under the pointer, and where the focus is. Escape takes it away.
  let tip = null;
  const hide = () => { if (tip) { tip.hidden = true; tip = null; } };
  const tell = (dot) => {
    hide();
    tip = document.getElementById("tip-" + dot.dataset.point);
    if (!tip) return;
    tip.hidden = false;
    const chart = tip.parentElement.getBoundingClientRect();
    const place = dot.querySelector(".rim").getBoundingClientRect();
    const left = Math.min(Math.max(0, place.right - chart.left + 12), Math.max(0, chart.width - tip.offsetWidth));
    // Right below a point no other one lies: what costs more is faster.
    tip.style.left = left + "px";
    tip.style.top = (place.bottom - chart.top + 8) + "px";
  };
  // Whoever moves the pointer onto the text may read it there.
  let leaving = 0;
  const leave = () => { leaving = setTimeout(hide, 250); };
  all(".tip").forEach((text) => {
    text.addEventListener("mouseenter", () => clearTimeout(leaving));
    text.addEventListener("mouseleave", hide);
  });
  dots.forEach((dot) => {
    dot.addEventListener("mouseenter", () => { clearTimeout(leaving); tell(dot); });
    dot.addEventListener("mouseleave", leave);
    dot.addEventListener("focus", () => tell(dot));
    dot.addEventListener("blur", hide);
    dot.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
      if (step) {
        event.preventDefault();
        const beside = Array.from(dot.ownerSVGElement.querySelectorAll("a.dot"));
        const next = beside[beside.indexOf(dot) + step];
        if (next) next.focus();
      } else if (event.key === " ") {
        event.preventDefault();
        dot.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true }));
      }
    });
  });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });

  // Linear and logarithmic axes.
  const switches = all("button[data-axes]");
  switches.forEach((button) => button.addEventListener("click", () => {
    switches.forEach((other) => other.setAttribute("aria-pressed", String(other === button)));
    all("[data-drawn]").forEach((drawn) => { drawn.hidden = drawn.dataset.drawn !== button.dataset.axes; });
    hide();
  }));

  const first = location.hash.startsWith("#build-") ? location.hash.slice("#build-".length) : root.dataset.first;
  show(document.getElementById("build-" + first) ? first : root.dataset.first, false);
})();
