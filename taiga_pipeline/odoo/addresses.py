"""Where Odoo's API is, from the address that people open Odoo at."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from sync.errors import Stop, Unreachable

_CLIENT: Final = "web"
"""Where the pages of the web client begin, in all versions."""
_CLIENT_TOO: Final = "odoo"
"""Where they begin from Odoo 18 on; a proxy may have Odoo at an address that is called so, too."""


def base_addresses(url: str, section: str) -> tuple[str, ...]:
    """Returns the addresses at which the server may be, the likeliest first, without a slash at
    their ends, nor a page of Odoo's web client.

    :raises Stop: ``url`` is not a web address, or holds credentials.
    """
    parts = urlsplit(url.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        example = "https://odoo.example.com"
        raise Unreachable(f"{section}.url: {url!r} is not a web address ({example})")
    if parts.username is not None or parts.password is not None:
        raise Stop(f"{section}.url: holds credentials; use token_env instead")
    steps = [step for step in parts.path.split("/") if step]
    root = f"{parts.scheme}://{parts.netloc}"
    if _CLIENT in steps:
        return ("/".join([root, *steps[: steps.index(_CLIENT)]]),)
    if steps[:1] == [_CLIENT_TOO]:
        return (root, f"{root}/{_CLIENT_TOO}")
    return ("/".join([root, *steps]),)
