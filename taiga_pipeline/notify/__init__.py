"""Who is told what, once: which events there are, and the way to the channels.

`events` and `digest` choose (pure), `channels` reads the addresses, `sending` gives one message to
one channel in a process of its own (`child`). What is told is kept in `sync.state.outbox`.
"""
