"""Pods, nodes and the world outside reach each other."""
