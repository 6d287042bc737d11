"""The sync engine: keeps the records of a source and of a target in step, three ways.

It knows records, fields and owners, and nothing of what they are about, of any tool, of HTTP or of
a command line. Needs only the standard library and SQLAlchemy Core.

A run, step by step:

1. take the run lock (`sync.run.lock`);
2. bring the state store up to date (`sync.state.store`, `sync.database.migrations`);
3. take up the open intents of a run that was cut off: while one of them may still take effect,
   wait until it has or never will;
4. observe the target: one complete, count-checked list of its roots (`sync.plan.observation`). Open
   intents are settled by what it shows, without a request of their own;
5. read the source completely. Rows that cannot be read are quarantined and reported, never taken
   for gone (`sync.source`);
6. read the children of the roots that moved;
7. merge each record three ways (`sync.records.merge` has the table, `sync.plan.group_planner`
   plans a group);
8. check the limits (`sync.plan.limits`); over a limit nothing is applied;
9. apply action by action, independent groups in parallel: intent, write, receipt
   (`sync.run.executor`); then read back what was written;
10. store what is open; tell a source that wants to know what became of its groups
    (`sync.source.TakesFacts`); store the summary of the run (`sync.run.runner`).

The ports are `sync.source.Source` and `sync.target.Target`; `sync.in_memory_target` is a target in
memory.

    runner = Runner(source, target, store, SystemClock())
    plan = runner.plan()      # writes nothing anywhere
    report = runner.run()
"""
