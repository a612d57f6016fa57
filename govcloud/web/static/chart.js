"use strict";
// Drawings to zoom and pan. The drawing is a plain SVG in a box that scrolls: zooming changes its size, panning is scrolling,
// so that arrow keys, touch and screen magnifiers go on working. Without script the tools stay hidden and the box scrolls.
const WIDEST = 1.4, LEAST = 0.2, MOST = 6, STEP = 1.25, DRAG_PX = 4;

for (const figure of document.querySelectorAll("[data-chart]")) {
  const view = figure.querySelector(".chart-view");
  const svg = view && view.querySelector("svg");
  if (svg) makeChart(figure, view, svg);
}

function makeChart(figure, view, svg) {
  const natural = svg.viewBox.baseVal;
  const shown = figure.querySelector("[data-scale]");
  let scale = 1;

  // (x, y): the point of the box that stays under the pointer; by default its middle.
  function zoom(wanted, x = view.clientWidth / 2, y = view.clientHeight / 2) {
    const next = Math.min(MOST, Math.max(LEAST, wanted));
    const left = (view.scrollLeft + x) * next / scale - x, top = (view.scrollTop + y) * next / scale - y;
    scale = next;
    svg.setAttribute("width", natural.width * scale);
    svg.setAttribute("height", natural.height * scale);
    view.scrollLeft = left;
    view.scrollTop = top;
    shown.textContent = `${Math.round(scale * 100)} %`;
  }

  const orders = {
    in: () => zoom(scale * STEP),
    out: () => zoom(scale / STEP),
    fit: () => zoom(view.clientWidth / natural.width),
    whole: () => zoom(1),
  };
  for (const button of figure.querySelectorAll("[data-zoom]")) button.addEventListener("click", orders[button.dataset.zoom]);
  figure.querySelector(".chart-tools").hidden = false;
  // A small drawing fills its frame; a large one keeps its size, so that it can be read, and is moved.
  if (natural.width < view.clientWidth) zoom(Math.min(WIDEST, view.clientWidth / natural.width));

  const keys = { "+": "in", "=": "in", "-": "out", "0": "whole", "f": "fit" };
  view.addEventListener("keydown", (event) => {
    const order = keys[event.key];
    if (!order || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    orders[order]();
  });

  // The wheel alone scrolls the page, as everywhere; with Ctrl (and by a pinch on a touchpad) it zooms.
  view.addEventListener("wheel", (event) => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    const box = view.getBoundingClientRect();
    zoom(event.deltaY < 0 ? scale * STEP : scale / STEP, event.clientX - box.left, event.clientY - box.top);
  }, { passive: false });

  makeDraggable(view);
}

// With the mouse the drawing is pulled; what is released after a pull follows no link.
function makeDraggable(view) {
  let from = null, pulled = false;
  view.addEventListener("dragstart", (event) => event.preventDefault());
  view.addEventListener("pointerdown", (event) => {
    pulled = false;
    if (event.pointerType !== "mouse" || event.button !== 0) return;
    from = { x: event.clientX, y: event.clientY, left: view.scrollLeft, top: view.scrollTop };
  });
  view.addEventListener("pointermove", (event) => {
    if (!from) return;
    const dx = event.clientX - from.x, dy = event.clientY - from.y;
    if (!pulled && Math.hypot(dx, dy) < DRAG_PX) return;
    if (!pulled) view.setPointerCapture(event.pointerId);
    pulled = true;
    view.scrollLeft = from.left - dx;
    view.scrollTop = from.top - dy;
  });
  for (const name of ["pointerup", "pointercancel"]) view.addEventListener(name, () => { from = null; });
  view.addEventListener("click", (event) => {
    if (pulled) event.preventDefault();
    pulled = false;
  }, true);
}
