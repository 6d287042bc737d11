"""A file with the fields of a form, as a browser sends them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from urllib3.filepost import encode_multipart_formdata


@dataclass(frozen=True, slots=True)
class Upload:
    """A PNG picture in a form: ``place`` is the form field of the file."""

    place: str
    name: str
    content: bytes
    fields: Mapping[str, str] = field(default_factory=dict)

    def encoded(self) -> tuple[bytes, str]:
        """Returns the request's body and its content type."""
        file = (self.name, self.content, "image/png")
        return encode_multipart_formdata({**self.fields, self.place: file})
