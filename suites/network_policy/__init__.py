"""Network policies let through what they allow, and nothing else, whatever changes."""
