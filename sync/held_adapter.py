"""What holds an adapter to its port, whichever port that is. Every error names the adapter."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Any, ClassVar, Final

from sync.errors import Malformed, SyncError, in_words

log = logging.getLogger(__name__)

_HALF: Final = re.compile("[\ud800-\udfff]")


class HeldAdapter:
    """An adapter behind what it is held to. Subclasses have the very members that it has: whether
    an adapter offers something is told by that.

    ``own_errors`` are those that the port lets it raise; any other is the adapter's fault.
    """

    own_errors: ClassVar[tuple[type[Exception], ...]] = (SyncError,)

    def __init__(self, adapter: Any, whose: Callable[[], str]) -> None:
        self._adapter = adapter
        self._whose = whose

    def ask(
        self, method: str, *arguments: object, lost: type[SyncError] = Malformed, **named: Any
    ) -> Any:
        """Returns what a method of the adapter answers.

        :raises SyncError: its own, or ``lost`` for any other.
        """
        try:
            return getattr(self._adapter, method)(*arguments, **named)
        except self.own_errors:
            raise
        except Exception as error:
            raise self.failed(method, error, lost) from error

    def each(self, method: str, items: object) -> Iterator[Any]:
        """Yields what the adapter yields.

        :raises SyncError: its own, or `Malformed` for any other, or for what is no list.
        """
        if not isinstance(items, Iterable):
            raise Malformed(self.fault(method, f"answers with {type_name(items)} for a list"))
        each = iter(items)
        try:
            while True:
                try:
                    item = next(each)
                except StopIteration:
                    return
                except self.own_errors:
                    raise
                except Exception as error:
                    raise self.failed(method, error) from error
                yield item
        finally:
            if isinstance(each, Generator):
                each.close()

    def failed(self, method: str, error: Exception, lost: type[SyncError] = Malformed) -> SyncError:
        """Returns the error that stands for one that the port does not know; logs where it came
        from."""
        log.error("the adapter for %s failed in %s", self._whose(), method, exc_info=error)
        return lost(self.fault(method, f"failed ({in_words(error)})"))

    def fault(self, method: str, what: str) -> str:
        """Says what the adapter did wrong."""
        return f"the adapter for {self._whose()} is at fault: its {method} {what}"


def handed_on(name: str) -> property:
    """Returns a member that is the adapter's own."""
    return property(lambda self: getattr(self._adapter, name))


def asked(name: str, lost: type[SyncError] = Malformed) -> Callable[..., Any]:
    """Returns a method that asks the adapter, and takes whatever it answers."""

    def method(self: HeldAdapter, *arguments: object, **named: Any) -> Any:
        return self.ask(name, *arguments, lost=lost, **named)

    return method


def answering(name: str, wanted: type | tuple[type, ...]) -> Callable[..., Any]:
    """Returns a method that asks the adapter, and takes an answer of some types.

    Its calls raise `Malformed` for any other.
    """

    def method(self: HeldAdapter, *arguments: object, **named: Any) -> Any:
        answer = self.ask(name, *arguments, **named)
        if not isinstance(answer, wanted):
            raise Malformed(self.fault(name, f"answers with {type_name(answer)}"))
        return answer

    return method


def type_name(value: object) -> str:
    """Names the type of what was answered."""
    return "nothing" if value is None else f"a {type(value).__name__}"


def is_cut(text: str) -> bool:
    """Whether half of a character is in a text (a lone surrogate): no database takes it."""
    return not text.isascii() and _HALF.search(text) is not None
