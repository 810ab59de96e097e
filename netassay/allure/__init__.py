"""Allure: a run's results in its format, and its own page of them with the runs before as its history."""

from netassay.allure.page import ALLURE_HTML, write_allure_page
from netassay.allure.results import write_results

__all__ = ["ALLURE_HTML", "write_allure_page", "write_results"]
