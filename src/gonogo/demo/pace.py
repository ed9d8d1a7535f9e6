"""How long the release of the demo is watched, and in how long slices of time."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """How long the release is watched, in the words of the runbook's heading."""

    length: str
    bucket: str
    bucket_s: int

    @property
    def heading(self) -> str:
        """Return the heading of the watch."""
        return f"## Watch for {self.length} in {self.bucket} buckets"

    @property
    def recovery(self) -> str:
        """Return the line of the front matter that says how long going back may take."""
        minutes = max(2, 9 * self.bucket_s // 60)  # two bad buckets, then two good ones, and room
        return f"recovery: {{ green: 2 buckets, within: {minutes}m, rto: {minutes}m }}"


SHORT = Pace("1 minute", "5-second", 5)  # as it is written in the runbook
REAL_TIME = Pace("1 hour", "5-minute", 300)
