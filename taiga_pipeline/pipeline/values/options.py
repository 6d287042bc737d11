"""How messages name the setting that decides a reading, with what to write there."""

from __future__ import annotations


def setting(option: str, text: str) -> str:
    """Returns ``--decimal ,``, or ``[source] decimal = ","`` for an option that ends with "="."""
    return f'{option} "{text}"' if option.endswith("=") else f"{option} {text}"


def named(option: str) -> str:
    """Returns the setting's name alone."""
    return option.removesuffix("=").rstrip()
