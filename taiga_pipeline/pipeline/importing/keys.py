"""Which deals of the store the keys of a file mean, where they are written in another form."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from taiga_pipeline.hints import word
from taiga_pipeline.pipeline.batch import Batch
from taiga_pipeline.pipeline.importing.notices import Notice
from taiga_pipeline.pipeline.importing.rows import BadRow, Draft
from taiga_pipeline.pipeline.keys import KnownKeys
from taiga_pipeline.pipeline.text import counted, folded


class KeyResolver:
    """Finds the deals that rows mean. ``renamed``: the file's key -> the store's."""

    def __init__(self) -> None:
        self.renamed: dict[str, str] = {}
        self.bad_rows: list[BadRow] = []

    def resolve(self, batch: Batch, drafts: Sequence[Draft]) -> list[Draft]:
        """Returns the drafts with the store's keys. Those whose key is one of the store with other
        zeros, or that mean a deal of another row, are kept in ``bad_rows``."""
        known = batch.existing([draft.key for draft in drafts])
        if all(folded(draft.key) in known for draft in drafts):
            return list(drafts)
        keys = KnownKeys(batch.keys())
        present = {folded(draft.key) for draft in drafts}
        resolved = []
        for draft in drafts:
            if folded(draft.key) in known:
                resolved.append(draft)
            elif now := batch.former(draft.key):
                self._take_same(draft, now, present, resolved)
            elif draft.doubt:
                self.bad_rows.append(BadRow(draft.line, "", f"key: {draft.doubt}"))
            elif draft.written and draft.written != draft.key and batch.existing([draft.written]):
                resolved.append(self._renamed(draft, draft.written))
            elif same := keys.same(draft.key):
                self._take_same(draft, same, present, resolved)
            elif other := keys.with_other_zeros(draft.key):
                self.bad_rows.append(BadRow(draft.line, draft.key, _zeros(draft.key, other)))
            else:
                resolved.append(draft)
        return resolved

    def notices(self) -> Iterator[Notice]:
        """Says which keys were taken for others."""
        same = [each for each in self.renamed.items() if folded(each[0]) != folded(each[1])]
        if same:
            theirs, ours = same[0]
            text = (
                f"{counted(len(same), 'key')} treated as the same key in another form, as in "
                f"{theirs!r} for {ours!r} of the store"
            )
            yield Notice("keys", len(same), text)

    def _take_same(self, draft: Draft, same: str, present: set[str], resolved: list[Draft]) -> None:
        if folded(same) in present or same in self.renamed.values():
            reason = f"key {draft.key!r} is {same!r} in another form, which is in another row"
            self.bad_rows.append(BadRow(draft.line, draft.key, reason))
        else:
            resolved.append(self._renamed(draft, same))

    def _renamed(self, draft: Draft, key: str) -> Draft:
        self.renamed[draft.key] = key
        return replace(draft, key=key, values={**draft.values, "key": key})


def _zeros(key: str, other: str) -> str:
    option = f"--value {word(f'key:{key}={other}')}"
    return (
        f"key {key!r} is {other!r} of the store with other zeros before it; format the column as "
        f"text, and export again, or, if it is the same deal: {option}"
    )
