"""From observations to a verdict: three-valued, exact, pure."""
