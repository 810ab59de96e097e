"""Pods join the network with an address of their own, and leave it without a trace."""
