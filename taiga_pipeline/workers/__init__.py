"""Many pipelines on many machines: a fleet of pipelines, and workers that share the work.

The queue is Procrastinate's, on PostgreSQL. What is decided here is decided by pure functions:

=================  =======================================================================
`fleet`            which pipelines there are, and how often each runs (``workers.toml``)
`schedule`         when a pipeline is due, spread over time by its name
`fairness`         which runs exclude each other: one per pipeline, a few per host
`decisions`        whether and when a run that ended is tried again
`ledger`           what became of each pipeline's last run, for people and for the above
`queued`           the queue's own table, where many jobs are moved at once
`manager`          the queue as workers use it: waits for its database; ends only its own jobs
`jobs`             the task: run a pipeline
`housekeeping`     queue what is due, find what dead workers left, heal what wrong clocks did
`children`         each run in a process of its own
`service`          a worker from its start to its end
`overview`         how all pipelines are doing
=================  =======================================================================
"""
