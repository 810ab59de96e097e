"""The cluster's DNS knows Services and pods by their names."""
