"""Makes an SVG drawing fit to stand inside a page: no scripts, nothing loaded from outside, ids of its own."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from defusedxml.ElementTree import fromstring

_SVG = "http://www.w3.org/2000/svg"
_XLINK = "http://www.w3.org/1999/xlink"
_DRAWN = frozenset(
    [
        "svg",
        "g",
        "defs",
        "title",
        "desc",
        "path",
        "rect",
        "circle",
        "ellipse",
        "line",
        "polyline",
        "polygon",
        "text",
        "tspan",
        "clipPath",
        "linearGradient",
        "radialGradient",
        "stop",
        "marker",
        "symbol",
        "use",
        "style",
        "mask",
        "pattern",
    ]
)
_URL = re.compile(r"url\(\s*['\"]?#([^)'\"]+)['\"]?\s*\)")


def build_inline_svg(svg: str, prefix: str, label: str) -> str:
    """The drawing with every id prefixed, because two drawings on one page use the same ones (`clip0`).

    Elements outside the allow-list, event attributes and references that leave the drawing are dropped. Raises ValueError
    where the text is no SVG.
    """
    try:
        root = fromstring(svg)
    except ElementTree.ParseError as error:
        raise ValueError(f"not an SVG drawing: {error}") from error
    if root.tag != f"{{{_SVG}}}svg":
        raise ValueError(f"not an SVG drawing: {root.tag}")
    _clean(root, prefix)
    _make_scalable(root)
    root.set("role", "img")
    root.set("aria-label", label)
    ElementTree.register_namespace("", _SVG)
    ElementTree.register_namespace("xlink", _XLINK)
    return ElementTree.tostring(root, encoding="unicode")


def _clean(element: ElementTree.Element, prefix: str) -> None:
    for child in list(element):
        if not isinstance(child.tag, str) or child.tag.removeprefix(f"{{{_SVG}}}") not in _DRAWN:
            element.remove(child)
        else:
            _clean(child, prefix)
    if element.tag == f"{{{_SVG}}}style" and ("@import" in (element.text or "") or "url(" in (element.text or "")):
        element.text = ""
    for name, value in list(element.attrib.items()):
        local = name.rpartition("}")[2].lower()
        if local == "id":
            element.set(name, f"{prefix}-{value}")
        elif local == "href":
            if value.startswith("#"):
                element.set(name, f"#{prefix}-{value[1:]}")
            else:
                del element.attrib[name]
        elif local.startswith("on") or ("url(" in value and not _URL.search(value)):
            del element.attrib[name]
        elif "url(" in value:
            element.set(name, _URL.sub(rf"url(#{prefix}-\1)", value))


def _make_scalable(root: ElementTree.Element) -> None:
    """Width in CSS, not in the drawing: a Gantt chart must shrink to the paper."""
    if "viewBox" not in root.attrib and {"width", "height"} <= root.attrib.keys():
        root.set("viewBox", f"0 0 {_number(root.get('width'))} {_number(root.get('height'))}")
    if "width" in root.attrib:
        width = _number(root.get("width"))
        root.set("style", f"width:100%;max-width:{width}px;min-width:min({width}px,640px);height:auto")
        del root.attrib["width"]
        root.attrib.pop("height", None)


def _number(length: str | None) -> str:
    return (length or "0").removesuffix("px")
