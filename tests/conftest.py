"""Settings that must stand before anything imports JAX or matplotlib."""

import os

os.environ["JAX_ENABLE_X64"] = "1"
os.environ["XLA_PYTHON_CLIENT_PREALLOCATE"] = "false"
os.environ["MPLBACKEND"] = "agg"
