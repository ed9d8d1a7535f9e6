"""Looks at what became of earlier runs and drills, from the small file that each run leaves."""
