"""`dsopt app`: the local web app."""

from __future__ import annotations

from typing import Annotated

import typer

HELP = """Examples:

  dsopt app

  dsopt app --port 8700

A web page on this computer: the request as a form, the front while it is proven, why not another GPU, quotes dropped on
the page, files to download, in English and Chinese. It listens on 127.0.0.1 alone unless --host names another address;
then a token is demanded, which is printed once. Needs dsopt[app]. See docs/app.md."""
MISSING = 'the app needs packages that are not installed: pip install "dsopt[app]"'


def app(
    host: Annotated[str, typer.Option(help="Address to listen on; another one demands a token.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)] = 8642,
) -> None:
    """See HELP."""
    from catalogs.errors import Fault, InputError
    from optimizer.cli.output import say
    from optimizer.text.languages import N_, chosen

    try:
        import uvicorn

        from optimizer.app.server import make_app, token_for
    except ModuleNotFoundError as e:
        if (e.name or "").startswith("optimizer"):
            raise
        raise InputError(Fault("missing-extra", MISSING)) from None
    _free_port(host, port)
    token = token_for(host)
    shown = f"[{host}]" if ":" in host else host
    address = f"http://{shown}:{port}/" + (f"?token={token}" if token else "")
    say(chosen()(N_("Open {address} in a browser; Ctrl-C ends it."), address=address))
    uvicorn.run(
        make_app(host, token), host=host, port=port, log_level="warning", server_header=False, date_header=False,
        limit_concurrency=100, timeout_keep_alive=10, timeout_graceful_shutdown=2,
    )  # fmt: skip


def _free_port(host: str, port: int) -> None:
    """Refuses an address that can't be listened on, before anything is printed."""
    import socket

    from catalogs.errors import Fault, InputError

    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind((host, port))
    except (OSError, UnicodeError) as e:  # a name that can't be one of a host is refused by its letters
        remedy = "Name another one with --port, or another address with --host."
        why = getattr(e, "strerror", None) or "no name of a host"
        raise InputError(
            Fault("bad-address", f"can't be listened on ({why})", value=f"{host}:{port}", remedy=remedy)
        ) from None
