"""An address that Taiga had to number is told from one that ends with a number by itself."""

from __future__ import annotations

import pytest

from taiga_pipeline.targets.taiga.half_made import taken_address


@pytest.mark.parametrize(
    ("slug", "name", "taken"),
    [
        ("acme-portal", "Acme: portal", ""),
        ("acme-portal-1", "Acme: portal", "acme-portal"),
        ("acme-portal-12", "(tentative) Acme: portal", "acme-portal"),
        ("tentative-acme-portal-1", "(tentative) Acme: portal", "tentative-acme-portal"),
        ("acme-d-1", "Acme D-1", ""),
        ("acme-d-1-1", "Acme D-1", "acme-d-1"),
        ("acme-2027", "(tentative) Acme 2027", ""),
        ("proekt-1", "Проект", "proekt"),
        ("proekt-1", "Проект 1", ""),
        ("renamed-1", "Something else", ""),
    ],
)
def test_the_address_that_is_taken(slug: str, name: str, taken: str) -> None:
    assert taken_address(slug, name) == taken
