"""Where the journal is kept and which engine makes a run durable."""
