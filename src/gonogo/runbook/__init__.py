"""From the Markdown that a team keeps to a plan; pure: no file, network, clock or process."""
