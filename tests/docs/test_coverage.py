"""docs/coverage.md says of each line of the floor by which checks it is covered, and is up to date."""

from __future__ import annotations

from docs.coverage import TARGET, checks_by_claim, floor, page


def test_no_line_of_the_floor_is_without_a_check() -> None:
    checks = checks_by_claim()
    for title, lines in floor().items():
        for line in lines:
            assert line.claims, f"{title}: {line.what}"
            for claim in line.claims:
                assert claim in checks, f"{title}, {line.what}: nothing checks {claim!r}"


def test_the_page_is_up_to_date() -> None:
    assert TARGET.read_text() == page(), "make coverage"
