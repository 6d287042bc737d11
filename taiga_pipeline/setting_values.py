"""Values that several sections of ``config.toml`` have: paths, and names of variables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field, ValidationInfo

_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def _resolve_path(value: Path, info: ValidationInfo) -> Path:
    return resolved(info, value)


def resolved(info: ValidationInfo, path: Path) -> Path:
    """Returns a path as seen from the folder of the configuration.

    :raises ValueError: it cannot be resolved.
    """
    try:
        return (_folder(info) / path.expanduser()).resolve()
    except (RuntimeError, OSError, ValueError):
        raise ValueError(
            f"{str(path)!r} cannot be resolved (a link to itself, or the home of an unknown "
            "account)"
        ) from None


def _folder(info: ValidationInfo) -> Path:
    context: Mapping[str, Any] = info.context or {}
    return Path(context.get("folder", "."))


def _check_variable(value: str) -> str:
    # The value is not shown: it is often the secret itself, written in the wrong place.
    if not _VARIABLE.fullmatch(value):
        raise ValueError("is the name of an environment variable, not the secret itself")
    return value


Variable = Annotated[str, AfterValidator(_check_variable)]
ConfigPath = Annotated[Path, Field(strict=False), AfterValidator(_resolve_path)]
