"""What waits for a person's word over all runs: gates to answer, with what is approved, and emergencies to review."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from govcloud.model.text import Text
from govcloud.report.run_asked import build_asked_view, build_waiting_view
from govcloud.web.door import DoorFirst, Reading
from govcloud.workflow.run_offers import list_offers

router = APIRouter(include_in_schema=False, route_class=DoorFirst)


@router.get("/approvals")
def approvals(visit: Reading) -> Response:
    offers = list_offers(visit.session)
    asked = [a for found in offers for a in found.asked if a.waits]
    reviews = [review for found in offers for review in found.reviews]
    return visit.page(
        "approvals.html.j2", Text("批准与复核", "Approvals and reviews"), mine=[a for a in asked if a.is_due],
        others=build_waiting_view([a for a in asked if not a.is_due]), reviews=reviews, asked_view=build_asked_view,
    )  # fmt: skip
