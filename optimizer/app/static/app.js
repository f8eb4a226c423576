"use strict";
(() => {
  document.documentElement.classList.add("js");
  const by = (id) => document.getElementById(id);
  const said = document.body.dataset;
  const form = by("request"), answer = by("answer"), progress = by("progress"), cancel = by("cancel");
  const fields = () => Array.from(form.elements).filter((field) => field.name);
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? values[name] : whole));
  const wait = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

  // The server: every answer comes through here, so that a dead one is told of at once.
  const lost = (gone) => { by("lost").hidden = !gone; };
  const ask = async (url, init) => {
    let response;
    try {
      response = await fetch(url, { credentials: "same-origin", ...init });
    } catch (error) {
      lost(true);
      throw error;
    }
    lost(false);
    return response;
  };
  setInterval(() => { if (!document.hidden) ask("/api/alive").catch(() => {}); }, 4000);

  // Pieces of pages come from our own server with every text escaped; they hold no script, and none would run.
  const put = (place, html) => {
    const parsed = new DOMParser().parseFromString(html, "text/html");
    place.replaceChildren(...parsed.body.childNodes);
  };
  const focusHead = (place) => {
    const head = place.querySelector("h2, h3");
    if (!head) return;
    head.focus({ preventScroll: true });
    place.scrollIntoView({ block: "start" });
  };

  // The request: fields with a value, by the names of the options; an address carries the same.
  const collected = () => {
    const asked = {};
    for (const field of fields()) {
      const kind = field.dataset.kind;
      if (kind === "bool") { if (field.checked) asked[field.name] = true; continue; }
      const text = field.value.trim();
      if (!text) continue;
      if (field.dataset.several) asked[field.name] = text.split(/[,，]/).map((one) => one.trim()).filter(Boolean);
      else if (kind === "int" || kind === "float") {
        const plain = text.replace(/[\s,，]/g, "");
        asked[field.name] = plain !== "" && Number.isFinite(Number(plain)) ? Number(plain) : text;
      } else asked[field.name] = text;
    }
    return asked;
  };
  const query = (asked) => {
    const words = new URLSearchParams();
    for (const [name, value] of Object.entries(asked)) words.set(name, Array.isArray(value) ? value.join(",") : String(value));
    return "/?" + words.toString();
  };
  const laid = (words) => {
    for (const field of fields()) {
      const value = words.get(field.name);
      if (field.dataset.kind === "bool") field.checked = value === "true";
      else if (value !== null || field.tagName !== "SELECT") field.value = value === null ? "" : value;
    }
    placeOf();
  };

  // Where it stands: a choice in words that writes the fields it stands for.
  const place = by("place"), named = (name) => form.elements.namedItem(name);
  const wall = () => named("market").selectedOptions[0].dataset.circuit;
  const placeOf = () => {
    const have = named("have").value.replace(/\s/g, ""), circuit = named("circuit").value, most = named("max_nodes").value;
    place.value = have === "racks,network" && !circuit && !most ? "1"
      : !have && !circuit && !most ? "2" : !have && circuit === wall() && most === "1" ? "3" : "0";
  };
  const written = () => {
    if (place.value === "0") { by("details").open = true; return; }
    named("have").value = place.value === "1" ? "racks,network" : "";
    named("circuit").value = place.value === "3" ? wall() : "";
    named("max_nodes").value = place.value === "3" ? "1" : "";
  };
  place.addEventListener("change", written);
  named("market").addEventListener("change", () => { if (place.value === "3") written(); else placeOf(); });
  ["have", "circuit", "max_nodes"].forEach((name) => named(name).addEventListener("change", placeOf));

  // What was asked in this browser.
  const KEPT = "dsopt-asked", MOST = 20;
  const remembered = () => {
    try { const kept = JSON.parse(localStorage.getItem(KEPT) || "[]"); return Array.isArray(kept) ? kept : []; } catch { return []; }
  };
  const listed = () => {
    const kept = remembered().filter((one) => typeof one === "string" && one.startsWith("/?"));
    by("asked").replaceChildren(...kept.map((address) => {
      const line = document.createElement("li"), link = document.createElement("a");
      link.href = address;
      link.textContent = Array.from(new URLSearchParams(address.slice(2))).map((pair) => pair.join(" = ")).join(" · ");
      line.append(link);
      return line;
    }));
    by("asked-none").hidden = kept.length > 0;
    by("forget").hidden = kept.length === 0;
  };
  const remember = (address) => {
    try { localStorage.setItem(KEPT, JSON.stringify([address, ...remembered().filter((one) => one !== address)].slice(0, MOST))); } catch { /* storage is switched off */ }
    listed();
  };
  by("forget").addEventListener("click", () => { localStorage.removeItem(KEPT); listed(); });
  by("link").addEventListener("click", async () => {
    const address = query(collected());
    history.replaceState(null, "", address);
    try { await navigator.clipboard.writeText(location.origin + address); } catch { /* the address bar has it */ }
    progress.textContent = said.copied;
  });

  // Jobs: started, looked at a few times a second, shown as they change, cancelled.
  let running = null;
  const told = (job) => {
    const text = { waiting: said.progress_waiting, plans: said.progress_plans, search: said.progress_search, proof: said.progress_proof };
    const words = job.state === "waiting" ? text.waiting : text[job.phase] || said.progress_other;
    return fill(words, { done: job.done, total: job.total, seconds: job.seconds.toFixed(0) });
  };
  const ENDED = ["done", "stopped", "refused", "failed"];
  const mark = (place) => {
    for (const field of fields()) field.removeAttribute("aria-invalid");
    for (const line of place.querySelectorAll("[data-option]")) {
      const field = named(line.dataset.option);
      if (field && field.setAttribute) field.setAttribute("aria-invalid", "true");
    }
  };
  const watch = async (id, place, slot) => {
    let shown = -1, failures = 0;
    while (slot.id === id) {
      try {
        const response = await ask("/api/jobs/" + id);
        if (!response.ok) { progress.textContent = said.gone_job; break; }
        const job = await response.json(), ended = ENDED.includes(job.state);
        if (slot.id !== id) return;
        progress.textContent = told(job);
        if (job.revision !== shown || ended) {
          const view = await ask("/jobs/" + id + "/view");
          if (slot.id !== id) return;
          put(place, await view.text());
          shown = job.revision;
        }
        if (ended) {
          progress.textContent = job.state === "stopped" ? said.was_stopped : job.state === "done" ? fill(said.ended, { seconds: job.seconds.toFixed(1) }) : "";
          mark(place);
          focusHead(place);
          break;
        }
        failures = 0;
      } catch { failures += 1; if (failures > 1) progress.textContent = ""; await wait(1500); }
      await wait(250);
    }
    if (slot.id === id) { slot.id = null; if (running === slot) { running = null; cancel.disabled = true; } }
  };
  const start = async (url, init, place, slot) => {
    progress.textContent = fill(said.progress_other, { seconds: "0" });
    const response = await ask(url, init);
    const body = await response.json();
    if (!response.ok) {
      progress.textContent = "";
      put(place, body.html || "");
      if (!body.html) place.textContent = response.status === 429 ? said.busy : (body.faults || []).map((fault) => fault.text).join("; ");
      mark(place);
      focusHead(place);
      return;
    }
    slot.id = body.id;
    running = slot;
    cancel.disabled = false;
    await watch(body.id, place, slot);
  };
  const json = (body) => ({ method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  const solving = { id: null }, examining = { id: null }, wondering = { id: null };
  const solve = () => {
    const asked = collected(), address = query(asked);
    history.replaceState(null, "", address);
    remember(address);
    return start("/api/solve", json(asked), answer, solving).catch(() => { progress.textContent = ""; });
  };
  form.addEventListener("submit", (event) => { event.preventDefault(); solve(); });
  cancel.addEventListener("click", () => { if (running && running.id) ask("/api/jobs/" + running.id, { method: "DELETE" }).catch(() => {}); });

  // Inside an answer: points, sliders, why-not, ways out, pins.
  const pins = [];
  const showPins = async () => {
    const place = by("pinned");
    place.hidden = pins.length === 0;
    if (!pins.length) return;
    const response = await ask("/beside?" + new URLSearchParams(pins.map((pin) => ["pin", pin])));
    if (response.ok) { put(place, await response.text()); focusHead(place); }
  };
  document.addEventListener("click", async (event) => {
    const target = event.target instanceof Element ? event.target : null;
    if (!target) return;
    const dot = target.closest('a[href^="#build-"]');
    if (dot && answer.contains(dot)) {
      event.preventDefault();
      const id = answer.querySelector("[data-job]").dataset.job, point = dot.getAttribute("href").slice(7);
      const response = await ask("/jobs/" + id + "/build/" + point).catch(() => null);
      if (!response || !response.ok) return;
      const place = answer.querySelector(".build-place");
      put(place, await response.text());
      for (const other of answer.querySelectorAll("a.dot")) other.classList.toggle("chosen", other.dataset.point === point);
      for (const link of answer.querySelectorAll("[data-file]")) link.href = "/api/jobs/" + id + "/" + link.dataset.file + "?point=" + point;
      focusHead(place);
      return;
    }
    const way = target.closest("[data-way]");
    if (way) { event.preventDefault(); laid(new URLSearchParams(way.getAttribute("href").slice(2))); form.scrollIntoView(); solve(); return; }
    const pin = target.closest("[data-pin]");
    if (pin) { if (!pins.includes(pin.dataset.pin)) pins.push(pin.dataset.pin); if (pins.length > 2) pins.shift(); showPins().catch(() => {}); return; }
    if (target.closest("[data-unpin]")) { pins.length = 0; showPins(); return; }
    const language = target.closest("[data-lang]");
    if (language) { event.preventDefault(); location.assign(query(collected()) + "&lang=" + language.dataset.lang); }
  });
  answer.addEventListener("input", (event) => {
    const slider = event.target;
    if (slider.type !== "range") return;
    const shown = Number(slider.value).toLocaleString("en-US") + slider.dataset.unit;
    slider.closest("label").querySelector("output").textContent = shown;
    slider.setAttribute("aria-valuetext", shown);
  });
  answer.addEventListener("change", (event) => {
    const slider = event.target;
    if (slider.type !== "range") return;
    named(slider.dataset.field).value = slider.value + slider.dataset.unit;
    solve();
  });
  answer.addEventListener("submit", (event) => {
    if (!event.target.matches(".why-not")) return;
    event.preventDefault();
    const id = answer.querySelector("[data-job]").dataset.job, build = answer.querySelector("article.build");
    const what = event.target.elements.namedItem("what").value.trim();
    if (!what) return;
    const place = answer.querySelector(".why-not-answer");
    start("/api/jobs/" + id + "/why-not", json({ what, point: build.dataset.point }), place, wondering).catch(() => {});
  });

  // Quotes: chosen or dropped.
  const upload = by("upload"), files = by("files"), drop = upload.querySelector(".drop");
  ["dragenter", "dragover"].forEach((kind) => drop.addEventListener(kind, (event) => { event.preventDefault(); drop.classList.add("over"); }));
  ["dragleave", "drop"].forEach((kind) => drop.addEventListener(kind, () => drop.classList.remove("over")));
  const examine = () => {
    const place = by("examined");
    if (!files.files.length) { place.textContent = said.files_none; return; }
    const body = new FormData();
    body.append("request", JSON.stringify(collected()));
    for (const file of files.files) body.append("files", file);
    start(files.files.length > 1 ? "/api/compare" : "/api/xray", { method: "POST", body }, place, examining).catch(() => { progress.textContent = ""; });
  };
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer && event.dataTransfer.files.length) { files.files = event.dataTransfer.files; examine(); }
  });
  upload.addEventListener("submit", (event) => { event.preventDefault(); examine(); });
  ["dragover", "drop"].forEach((kind) => document.addEventListener(kind, (event) => event.preventDefault()));

  // As the page opens: fields of a new request, or those of the address, which is then answered.
  listed();
  const words = new URLSearchParams(location.search);
  words.delete("lang");
  if (Array.from(words).length) {
    placeOf();
    history.replaceState(null, "", "/?" + words.toString());
    if (said.run) solve();
  } else {
    history.replaceState(null, "", "/");
    written();
  }
})();
