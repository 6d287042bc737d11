"""What may go wrong with the requests of a run."""

from __future__ import annotations

from hypothesis import strategies as st

from taiga_pipeline.sandbox.faults import Fault, FaultKind

ON_WRITES = (FaultKind.ARCHIVED, FaultKind.BLOCKED)
FAULTS = st.builds(
    lambda kind, occurrence, status, html, amount: Fault(
        kind,
        method="PATCH" if kind in ON_WRITES else "",
        occurrence=occurrence,
        status=status,
        html=html,
        amount=amount,
    ),
    st.sampled_from(sorted(FaultKind)),
    st.integers(1, 14),
    st.sampled_from([500, 502, 503, 504]),
    st.booleans(),
    st.sampled_from([-1, 1]),
)
