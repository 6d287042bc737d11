"""Taiga's addresses: people copy them from a browser or a manual, in several forms."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote, urlsplit

from sync.errors import Unreachable

API_PATH: Final = "/api/v1"


def api_address(url: str) -> str:
    """Returns the API's base address, without a slash at its end.

    ``https://host``, ``https://host/`` and ``https://host/api/v1/`` are all understood.

    :raises Unreachable: ``url`` is not a web address, or holds credentials.
    """
    parts = urlsplit(url.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Unreachable(f"target.url: {url!r} is not a web address (https://taiga.example.com)")
    if parts.username is not None or parts.password is not None:
        raise Unreachable("target.url: holds credentials; use username and password_env instead")
    path = parts.path.rstrip("/").removesuffix(API_PATH)
    return f"{parts.scheme}://{parts.netloc}{path}{API_PATH}"


def web_address(url: str, web_url: str) -> str:
    """Returns where people open Taiga: ``web_url`` if there is one, else beside the API."""
    return (web_url or api_address(url).removesuffix(API_PATH)).rstrip("/")


def project_page(web: str, slug: str) -> str:
    """Returns the address of a project's page."""
    return f"{web}/project/{quote(slug, safe='')}/"
