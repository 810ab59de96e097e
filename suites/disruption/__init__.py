"""What is done to backends, nodes and proxies takes no more from the flows through them than it must."""
