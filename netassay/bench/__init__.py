"""Measuring: throughput, latency and CPU of each path, in blocks, with a host control in each."""
