"""Planning: demand, capacity, forecast, staffing, scenarios. Pure functions over plain data."""

import os

# The matrices are small: threads of the linear algebra would wait for each other more than they
# work, at the price of several times the processor time. It is read when numpy is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
