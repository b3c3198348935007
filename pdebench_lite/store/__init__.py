"""Records on disk: cells, leases, checkpoints, and the merging of folders."""
