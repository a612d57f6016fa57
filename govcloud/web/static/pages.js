"use strict";
// Live parts: an element with data-live="URL" is replaced by what the server sends when something changed.
// Without script the page shows the state of its loading, with a link to load it again.
for (const part of document.querySelectorAll("[data-live]")) {
  const source = new EventSource(part.dataset.live);
  source.addEventListener("part", (event) => {
    const focused = document.activeElement && part.contains(document.activeElement) ? document.activeElement.id : "";
    // The server's own escaped template: the same markup that the page was first loaded with.
    part.innerHTML = event.data;
    if (focused && document.getElementById(focused)) document.getElementById(focused).focus();
  });
  source.addEventListener("end", () => source.close());
  window.addEventListener("pagehide", () => source.close());
}
