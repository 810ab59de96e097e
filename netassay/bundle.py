"""Where the parts are that travel with the package: suites, fixtures, templates and the lab."""

from __future__ import annotations

from pathlib import Path

from netassay.errors import HarnessFault


def root() -> Path:
    """Give the folder that holds `suites/`, `fixtures/`, `lab/`, `reports/templates/` and `conftest.py`.

    In an installed package that is `netassay/_bundle`, in a checkout the root of the checkout.
    """
    package = Path(__file__).resolve().parent
    for folder in (package / "_bundle", package.parent):
        if (folder / "suites").is_dir() and (folder / "conftest.py").is_file():
            return folder
    raise HarnessFault(
        f"the suites are missing beside {package}: install netassay again, or run it from a whole checkout"
    )


def templates() -> Path:
    """Give the folder of the report's templates."""
    return root() / "reports" / "templates"
