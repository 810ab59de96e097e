"""The templates, set up so that everything that came from a cluster is escaped."""

from __future__ import annotations

import jinja2

from netassay import bundle


def environment() -> jinja2.Environment:
    """Give the environment in which all pages are rendered: a name that a template lacks is an error."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(bundle.templates()),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
