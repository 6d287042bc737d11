"""Forms with files."""

from dataclasses import dataclass
from email import message_from_bytes, policy
from typing import Any


@dataclass(frozen=True, slots=True)
class File:
    """An uploaded file; `name` has no path in it."""

    name: str
    content: bytes


def parse(content_type: str, body: bytes) -> dict[str, Any]:
    """The fields of a multipart form: text, or `File` for those that have a file name."""
    head = f"Content-Type: {content_type}\r\nMIME-Version: 1.0\r\n\r\n".encode("latin-1", "replace")
    message = message_from_bytes(head + body, policy=policy.HTTP)
    fields: dict[str, Any] = {}
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if not isinstance(name, str) or not isinstance(content, bytes):
            continue
        file_name = part.get_filename()
        if file_name is None:
            fields[name] = content.decode("utf-8", "replace")
        else:
            fields[name] = File(file_name.replace("\\", "/").rpartition("/")[2], content)
    return fields
