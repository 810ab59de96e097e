"""Pages for people, each one HTML file which needs nothing but itself: of a run, and of several side by side."""

from netassay.report.page import COMPARISON_HTML, render, render_comparison, write_comparison, write_report

__all__ = ["COMPARISON_HTML", "render", "render_comparison", "write_comparison", "write_report"]
