"""What the lab breaks on purpose, and heals exactly."""
