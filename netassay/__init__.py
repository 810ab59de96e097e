"""Assay a Kubernetes cluster's network: prove that it conforms, and find out why it does not."""

__version__ = "0.1.0"
