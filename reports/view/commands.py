"""``semiology view``: runs and their reports on a local page."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Annotated

import typer

from semiology.render.help import examples

VIEW_EPILOG = examples("semiology view runs", "semiology view runs --data my_emu --open")


def view(
    runs: Annotated[Path, typer.Argument(help="Folder with results, at any depth.", file_okay=False)] = Path(
        "runs"
    ),
    data: Annotated[
        Path | None,
        typer.Option(
            help="Recording set, for the times of features in reports.",
            envvar="SEMIOLOGY_DATA",
            file_okay=False,
        ),
    ] = None,
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.", min=1024, max=65535)] = 8764,
    open_page: Annotated[bool, typer.Option("--open", help="Open it in this machine's browser.")] = False,
) -> None:
    """List runs, follow the one that is going on, and open reports and matrices, on a page for this machine alone."""
    from semiology.reports.local import serving_needed

    with serving_needed():
        from semiology.reports.local.app import HOST, listen, serve
        from semiology.reports.view.server import view_app
    from semiology.reports.view.runs import listed

    token = secrets.token_urlsafe(24)
    found = listed(runs)
    listening = listen(port)
    address = f"http://{HOST}:{port}/{token}/"
    typer.echo(f"{len(found)} runs and rating folders in {runs}.")
    typer.echo(f"Open {address} on this machine (the address is a key: keep it). Ctrl-C ends it.")
    if open_page:
        typer.launch(address)
    serve(view_app(runs, token, data), listening)
