from __future__ import annotations

from govcloud.cli._manual import VERBS
from govcloud.cli.base import App, pass_app
from govcloud.cli.base import command as verb


@verb(VERBS["doctor"], name="doctor")
@pass_app
def doctor(app: App) -> int:
    from govcloud.report.doctor import build_doctor_view
    from govcloud.web.health import examine_web
    from govcloud.workflow.doctor import examine

    lines = examine(app.path, served=examine_web)
    app.show(build_doctor_view(lines))
    return int(any(line.state == "act" for line in lines))


command = doctor
