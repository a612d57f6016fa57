"""One request of one person: the session in his name, his language, and how a page is answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from govcloud.model.account import Acting, Action
from govcloud.model.text import Lang, Text
from govcloud.report.document import Document
from govcloud.report.text import render_csv, render_json
from govcloud.report.view import View
from govcloud.report.xlsx import render_xlsx
from govcloud.web.paging import Paging
from govcloud.web.place import Place
from govcloud.web.render import render_page, render_part
from govcloud.workflow.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    request: Request
    place: Place
    session: Session
    """In the visitor's name: what it writes to the ledger is his."""
    csrf: str
    """Goes into every form; empty for a program with a token."""
    signed_in: bool = True

    @property
    def lang(self) -> Lang:
        return self.session.lang

    @property
    def acting(self) -> Acting:
        return self.session.acting

    def may(self, action: Action) -> bool:
        return self.acting.may(action)

    def page(self, template: str, title: Text, *, status: int = 200, **values: Any) -> HTMLResponse:
        """`template`: a file of templates/. It sees `visit`, `title`, `t` (a Text in the visitor's language) and the values."""
        return HTMLResponse(render_page(self, template, title, values), status_code=status)

    def part(self, template: str, **values: Any) -> str:
        """Markup of a part of a page, for a live page's next state."""
        return render_part(self, template, values)

    def views(
        self,
        title: Text,
        *views: View,
        paging: Paging | None = None,
        intro: Text | None = None,
        links: Sequence[tuple[Text, str]] = (),
        filters: Sequence[dict[str, Any]] = (),
    ) -> Response:
        """A page of tables. `?as=json|csv|xlsx` gives the same tables as a file."""
        form = self.request.query_params.get("as", "")
        if form == "json":
            return Response(render_json(views, self.lang), media_type="application/json")
        if form == "csv":
            text = "\ufeff" + render_csv(views, self.lang)  # Excel takes a file without the mark for a local code page
            return Response(text, media_type="text/csv; charset=utf-8", headers=_attached(views[0].name, "csv"))
        if form == "xlsx":
            data = render_xlsx(views, self.lang, self.place.zone)
            media = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
            return Response(data, media_type=media, headers=_attached(views[0].name, "xlsx"))
        return self.page("views.html.j2", title, views=views, paging=paging, intro=intro, links=links, filters=filters)

    def document(self, document: Document, **values: Any) -> Response:
        """A document's sections as a page: numbers, drawings and tables."""
        return self.page("document.html.j2", document.title, document=document, **values)

    def back_to(self, path: str, done: Text | None = None) -> RedirectResponse:
        """After a form: a page of ours, with a sentence that says what was done. `path` never comes from the request."""
        if done is not None:
            self.place.notices.put(self.csrf, done)
        return RedirectResponse(path, status_code=303)


def _attached(name: str, ending: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}.{ending}"'}
