"""What a run found: its records, how they are written while it runs, and what they add up to."""
