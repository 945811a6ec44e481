"""A page of the package as an application, and how it is served: on 127.0.0.1 and nowhere else."""

from __future__ import annotations

import contextlib
import mimetypes
import os
import socket
from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response

from semiology.reports.local import LocalPageError
from semiology.reports.local.guard import Guard

HOST = "127.0.0.1"


def local_app(package: str, pages: Mapping[str, str]) -> FastAPI:
    """Return an application that serves files of a package's folder ``page`` below a token.

    Args:
        package: name of the package.
        pages: file by address below the token; "" is the page itself.
    """
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    # FastAPI would repeat what was sent, and 1e400 is no number in JSON.
    app.add_exception_handler(RequestValidationError, _refused)
    folder = files(package).joinpath("page")

    def page(name: str) -> Callable[[], Response]:
        kind = mimetypes.guess_type(name)[0] or "text/plain"
        return lambda: Response(folder.joinpath(name).read_bytes(), media_type=kind)

    for address, name in pages.items():
        app.get(f"/{{token}}/{address}")(page(name))
    return app


def listen(port: int) -> socket.socket:
    """Return a socket of this machine alone on a port.

    Raises:
        LocalPageError: the port cannot be had.
    """
    found = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if os.name == "posix":  # a server just ended keeps its port for a minute; elsewhere this would share it
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((HOST, port))
        found.listen()
    except OSError as error:
        found.close()
        raise LocalPageError(
            f"port {port} of this machine cannot be used ({error.strerror}) → end the server that has it, or "
            "give another one by --port"
        ) from None
    return found


def serve(app: Guard, listening: socket.socket) -> None:
    """Serve until interrupted, without an access log, since addresses hold the token."""
    import uvicorn

    config = uvicorn.Config(app, log_level="warning", access_log=False, server_header=False)
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listening])


def _refused(request: Any, error: Any) -> JSONResponse:
    """Return what is wrong with something that was sent, without repeating it."""
    del request
    faults = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()]
    return JSONResponse({"detail": faults or "this cannot be read"}, status_code=422)
