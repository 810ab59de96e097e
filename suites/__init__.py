"""What a cluster's network promises: one behaviour a test."""
