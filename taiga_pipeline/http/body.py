"""Reads the body of an answer piece by piece, unpacks it, and stops where it exceeds its bound.

A few megabytes of ``gzip`` can hold as many gigabytes: the HTTP library would unpack all of them
before anyone can look. So it is unpacked here, no further than what may come in all.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Final

import requests

from taiga_pipeline.http.bounds import MEGABYTE, TooMuch

PACKINGS: Final = "gzip, deflate"
"""What servers may pack an answer in; to be asked for in each request."""

_PIECE: Final = 64 * 1024


class NotUnpackable(ValueError):
    """A body is not packed as its header says, or in a way that was not asked for."""


def read_body(response: requests.Response, megabytes: float) -> bytes:
    """Returns the whole body, unpacked.

    :raises TooMuch: it has more than ``megabytes``, packed or unpacked.
    :raises NotUnpackable: it is not packed as its header says.
    :raises urllib3.exceptions.HTTPError: it did not come whole, or not in time.
    """
    most = int(megabytes * MEGABYTE)
    packing = response.headers.get("Content-Encoding", "").strip().casefold()
    pieces = _pieces(response)
    whole = bytearray()
    for piece in pieces if packing in ("", "identity") else _unpacked(pieces, packing):
        whole += piece
        if len(whole) > most:
            raise TooMuch(f"more than {megabytes:g} MB")
    return bytes(whole)


def _pieces(response: requests.Response) -> Iterator[bytes]:
    while piece := response.raw.read(_PIECE, decode_content=False):
        yield piece


def _unpacked(pieces: Iterator[bytes], packing: str) -> Iterator[bytes]:
    unpacker = None
    for piece in pieces:
        rest = piece
        while rest:
            unpacker = unpacker or _unpacker(packing, rest)
            try:
                yield unpacker.decompress(rest, _PIECE)
            except zlib.error as error:
                raise NotUnpackable(f"is not compressed as declared ({packing}): {error}") from None
            rest = unpacker.unconsumed_tail
            if unpacker.eof:  # gzip may follow upon gzip; behind deflate there is nothing
                rest, unpacker = unpacker.unused_data if "gzip" in packing else b"", None
    if unpacker is not None:
        yield unpacker.flush(_PIECE)
        if not unpacker.eof:
            raise NotUnpackable("is compressed, and its end is missing")


def _unpacker(packing: str, beginning: bytes) -> zlib._Decompress:
    if packing in ("gzip", "x-gzip"):
        return zlib.decompressobj(16 + zlib.MAX_WBITS)
    if packing == "deflate":  # with the frame of RFC 1950, or as old servers do, without
        has_frame = beginning[0] & 0x0F == 8
        return zlib.decompressobj(zlib.MAX_WBITS if has_frame else -zlib.MAX_WBITS)
    raise NotUnpackable(f"is compressed in an unexpected way ({packing[:40]!r})")
