"use strict";
// A refused form is gone back to, not loaded again: the browser has kept what was typed.
for (const back of document.querySelectorAll("[data-back]")) {
  back.hidden = history.length < 2;
  document.querySelector("[data-back-hint]").hidden = !back.hidden;
  back.querySelector("button").addEventListener("click", () => history.back());
}
// Live parts: inside of an element with data-live="URL" each data-part is replaced by what the server sends when it has changed.
// Without script the page shows the state of its loading, with a link to load it again.
(() => {
  const place = document.querySelector("[data-live]");
  if (!place) return;
  const stale = document.querySelector("[data-stale]");
  const notes = document.querySelectorAll(".live-state [data-when]");
  const pending = new Map();
  // As the server wrote them: what a browser's helper adds to a field is no news.
  const known = new Map([...place.querySelectorAll("[data-part]")].map((part) => [part.id, part.outerHTML]));
  let source = null;
  let over = false;

  const say = (state) => notes.forEach((note) => { note.hidden = note.dataset.when !== state; });

  // What a person may be about to press is not moved under his hand.
  const busy = (part) =>
    (part.hasAttribute("data-steady") && part.querySelector("form")) ||
    part.querySelector("details[open]") ||
    (part.contains(document.activeElement) && document.activeElement.closest("form, details"));

  // Who stands on a link or has scrolled a table stays there.
  const put = (part, fresh) => {
    const at = part.contains(document.activeElement) ? document.activeElement : null;
    const left = [...part.querySelectorAll(".scroll")].map((box) => box.scrollLeft);
    pending.delete(fresh.id);
    known.set(fresh.id, fresh.outerHTML);
    part.replaceWith(fresh);
    fresh.querySelectorAll(".scroll").forEach((box, n) => { box.scrollLeft = left[n] || 0; });
    const same = at && [...fresh.querySelectorAll("a[href], .scroll")].find(
      (found) => found.tagName === at.tagName && found.getAttribute("href") === at.getAttribute("href"));
    if (same) same.focus({ preventScroll: true });
  };

  const take = (markup) => {
    // The server's own escaped template: the same markup that the page was first loaded with.
    const box = document.createElement("template");
    box.innerHTML = markup;
    for (const fresh of box.content.querySelectorAll("[data-part]")) {
      const part = document.getElementById(fresh.id);
      if (!part) continue;
      if (known.get(fresh.id) === fresh.outerHTML) pending.delete(fresh.id);
      else if (busy(part)) pending.set(fresh.id, fresh);
      else put(part, fresh);
    }
    stale.hidden = pending.size === 0;
  };

  const open = () => {
    if (source || over) return;
    source = new EventSource(place.dataset.live);
    source.addEventListener("open", () => say("on"));
    source.addEventListener("error", () => say(source && source.readyState === EventSource.CLOSED ? "off" : "lost"));
    source.addEventListener("part", (event) => take(event.data));
    for (const end of ["end", "full", "left"]) {
      source.addEventListener(end, () => { over = true; close(); say(end); });
    }
  };

  const close = () => {
    if (source) source.close();
    source = null;
  };

  stale.querySelector("button").addEventListener("click", () => {
    for (const [id, fresh] of [...pending]) put(document.getElementById(id), fresh);
    stale.hidden = true;
  });
  // A browser opens six connections to a server, and a page that nobody looks at needs none of them.
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", open);
  open();
})();
