"""gonogo: a Markdown deployment runbook that runs itself, watches and rolls back."""

__version__ = "0.1.0"
