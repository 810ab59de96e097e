"""The cluster under assay, as its API server tells of it."""

from netassay.cluster.cluster import Cluster
from netassay.cluster.errors import ApiError, Forbidden

__all__ = ["ApiError", "Cluster", "Forbidden"]
