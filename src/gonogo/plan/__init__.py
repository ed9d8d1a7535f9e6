"""What a runbook means: typed, frozen values with their places; pure."""
