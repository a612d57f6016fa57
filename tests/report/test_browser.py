"""The page as a browser draws it: every page of the print is A4, and no script of the data runs."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from govcloud.model.text import Text
from govcloud.report.document import Document, Section
from govcloud.report.html import render_html
from govcloud.report.view import Column, View

pytestmark = pytest.mark.browser


def chromium(tmp_path: Path, *argv: str) -> str:
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert program, "install the chromium package for the tests marked `browser`"
    done = subprocess.run(
        [program, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}", *argv],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def with_wide_section(document: Document) -> Document:
    columns = tuple(Column(f"c{n}", Text(f"列 {n}", f"Column {n}")) for n in range(13))
    rows = tuple({c.key: "一段需要折行的较长说明文字，用来撑满这一列" for c in columns} for _ in range(40))
    wide = View(name="wide", title=Text("宽表", "Wide"), columns=columns, rows=rows)
    section = Section(section_id="wide", title=Text("宽", "Wide"), views=(wide,))
    return replace(document, sections=(*document.sections, section))


def test_it_prints_on_a4_upright_and_sideways(document: Document, tmp_path: Path) -> None:
    page, pdf = tmp_path / "report.zh.html", tmp_path / "report.pdf"
    page.write_text(render_html(with_wide_section(document), "zh"), "utf-8")
    chromium(tmp_path, "--no-pdf-header-footer", f"--print-to-pdf={pdf}", page.as_uri())
    boxes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", pdf.read_bytes())
    sizes = {(round(float(width)), round(float(height))) for width, height in boxes}
    assert len(boxes) >= 3
    assert all(min(size) in (594, 595, 596) and max(size) in (841, 842) for size in sizes)
    assert {width > height for width, height in sizes} == {False, True}


def test_no_script_runs_even_if_one_got_in(document: Document, tmp_path: Path) -> None:
    page = tmp_path / "report.zh.html"
    html = render_html(document, "zh").replace("</main>", "<script>document.title = 'ran'</script></main>")
    assert "<script>document.title" in html
    page.write_text(html, "utf-8")
    drawn = chromium(tmp_path, "--dump-dom", page.as_uri())
    assert "<title>ran</title>" not in drawn and "协同办公系统" in drawn
