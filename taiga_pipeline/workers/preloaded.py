"""Loaded by the process that forks the runs; lets the worker alone decide when that ends.

A supervisor may send SIGTERM to all processes of a service. The worker passes it on to its runs;
were the process between them to die of it, the worker would never learn how they ended. It ends
when the worker and its runs have.

The signal is held back, not ignored: a run inherits that, and takes the signal once it is ready to
end in good order, however early it came.
"""

import signal

signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
