"""Serves the pages with uvicorn, until it is asked to end."""

from __future__ import annotations

import errno
import ipaddress
import secrets
import socket
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

import uvicorn

from taiga_pipeline.app.serving import Served
from taiga_pipeline.files import PRIVATE, write_text
from taiga_pipeline.problems import Problem, ProblemsError
from taiga_pipeline.web.access.door import Door
from taiga_pipeline.web.access.one_time import OneTimeToken
from taiga_pipeline.web.access.people import Person, Role
from taiga_pipeline.web.access.session import Sessions
from taiga_pipeline.web.application import application
from taiga_pipeline.web.head_timeout import HeadTimeout
from taiga_pipeline.web.routes import SECTIONS
from taiga_pipeline.web.site import Site
from taiga_pipeline.web_settings import is_loopback

if TYPE_CHECKING:
    from taiga_pipeline.web_settings import WebSettings

LOOPBACK_NAMES: Final = ("localhost", "127.0.0.1", "::1")
KEY_FILE: Final = "web-sessions.key"
_CONNECTIONS: Final = 500
_LOOK_SECONDS: Final = 1.0


def make_door(settings: WebSettings, by: str, tell: Callable[[str], None]) -> Door:
    """Returns the ways in that the settings name; ``by`` is who comes by the one-time link.

    ``tell`` is told each link's token that becomes valid.
    """
    return Door(
        local=None if settings.has_accounts else Person(by or "web", Role.ADMIN),
        users=settings.users,
        header=settings.user_header,
        header_role=Role(settings.header_role) if settings.header_role else None,
        proxies=tuple(map(ipaddress.ip_network, settings.proxies)),
        link=OneTimeToken(tell),
    )


def make_site(
    pipelines: Mapping[str, Served], settings: WebSettings, door: Door, host: str, folder: Path
) -> Site:
    """Returns a site as its settings describe it, at an address.

    Sessions outlast the server where people log in: the key is kept in ``folder``.

    :raises ProblemsError: only this machine may reach what a one-time link opens.
    """
    if not settings.has_accounts and not is_loopback(host):
        raise ProblemsError(
            [
                Problem(
                    f"{host} can be reached from other machines, and a one-time link is for this "
                    "one alone; name a file of people under [web] users (make it with "
                    "'pipeline-sync web user add'), or the header of a proxy"
                )
            ]
        )
    is_known = settings.hosts or (is_loopback(host) and not settings.proxies)
    hosts = (*settings.hosts, *LOOPBACK_NAMES) if is_known else ()
    key = _kept_key(folder / KEY_FILE) if settings.has_accounts else secrets.token_bytes(32)
    return Site(
        pipelines,
        door,
        Sessions(key, settings.session_hours * 3600),
        SECTIONS,
        settings.base_path,
        hosts,
    )


def _kept_key(path: Path) -> bytes:
    """Returns the key in a file, which is made if it is not there.

    :raises ProblemsError: it holds something else.
    :raises CannotWrite: it cannot be made.
    """
    if not path.exists():
        write_text(path, secrets.token_hex(32) + "\n", PRIVATE, overwrite=False)
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii"))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "holds something else"
        raise ProblemsError([Problem(f"the key of sessions: {reason}", str(path))]) from None
    if len(key) < 32:
        raise ProblemsError([Problem("the key of sessions is too short", str(path))])
    return key


def bind(host: str, port: int) -> socket.socket:
    """Returns a socket that listens; port 0 takes a free one.

    :raises ProblemsError: the address cannot be used.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(128)
    except OSError as error:
        listening.close()
        place = f"[{host}]" if family == socket.AF_INET6 else host
        if error.errno == errno.EADDRINUSE:
            problem = Problem(
                f"{place}:{port} is in use, perhaps by pages that are served already; end "
                f"those, or take a free port with --listen {place}:0"
            )
        else:
            reason = error.strerror or error
            problem = Problem(f"{place}:{port}: cannot listen there: {reason}")
        raise ProblemsError([problem]) from error
    return listening


def server_of(site: Site) -> uvicorn.Server:
    """Returns the server of a site."""
    return uvicorn.Server(
        uvicorn.Config(
            application(site),
            http=HeadTimeout,
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            limit_concurrency=_CONNECTIONS,
            timeout_keep_alive=20,
            timeout_graceful_shutdown=10,
            h11_max_incomplete_event_size=64 * 1024,
        )
    )


def serve(site: Site, listening: socket.socket, ended: threading.Event) -> None:
    """Serves until somebody asks it to end; requests under way are answered first.

    :raises RuntimeError: the server ended by itself.
    """
    server = server_of(site)
    # In a thread, it leaves signals to others: asked to end, it would end the process by one.
    thread = threading.Thread(target=server.run, args=([listening],), name="pages")
    thread.start()
    while thread.is_alive() and not ended.wait(_LOOK_SECONDS):
        pass
    was_asked = ended.is_set()
    for each in site.pipelines.values():
        each.ended.set()
    server.should_exit = True
    thread.join()
    for each in site.pipelines.values():
        each.close()
    if not was_asked:
        raise RuntimeError("the server ended by itself; its log says why")
