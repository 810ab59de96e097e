"""The page of a run: one HTML file for people, which needs nothing but itself."""

from netassay.report.page import render, write_report

__all__ = ["render", "write_report"]
