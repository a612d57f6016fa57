from __future__ import annotations

from pathlib import Path

import click

from govcloud.cli.base import App, option, pass_app
from govcloud.cli.base import command as verb
from govcloud.model.text import Text

_FILE = click.Path(path_type=Path, dir_okay=False)


@verb(
    Text("网页看板：资产、计划、执行、接管和台账", "The dashboard: estate, plan, runs, takeovers and ledger as pages"),
    name="serve",
    action="operate",
)
@option("--host", default="127.0.0.1", show_default=True, text=Text("监听地址", "Address to listen on"))
@option("--port", type=click.IntRange(0, 65535), default=8787, show_default=True,
        text=Text("端口；0 由系统分配", "Port; 0: one that is free"))  # fmt: skip
@option(
    "--name", "names", multiple=True, metavar="HOST",
    text=Text("浏览器用来访问的主机名，可多次给出；本机名总是可以", "A host name that browsers use; may be repeated; the loopback's names always work"),
)  # fmt: skip
@option("--tls-cert", type=_FILE, text=Text("TLS 证书文件（PEM）", "TLS certificate (PEM)"))
@option("--tls-key", type=_FILE, text=Text("TLS 私钥文件（PEM）", "TLS private key (PEM)"))
@option("--proxy", is_flag=True,
        text=Text("本机的反向代理提供 TLS", "A reverse proxy of this machine does TLS"))  # fmt: skip
@pass_app
def serve(
    app: App, host: str, port: int, names: tuple[str, ...], tls_cert: Path | None, tls_key: Path | None, proxy: bool
) -> None:
    # Imported here: the web framework is a second of start that no other command should pay.
    from govcloud.web import server

    where = server.Address(host=host, port=port, names=names, tls_cert=tls_cert, tls_key=tls_key, proxy=proxy)
    # Whoever keeps the machine may start it: what visitors may do is decided by their own accounts.
    with app.session("operate", "administer") as session:
        server.run(session, where, app.say)


command = serve
