"""Who is told of a run besides its reporter and its history: alerts, traces, lineage."""
