"""The pytest plug-ins of the suites, one topic each. They do nothing for the project's own tests in `tests/`."""

pytest_plugins = [
    "fixtures.options",
    "fixtures.families",
    "fixtures.runs",
    "fixtures.verdicts",
    "fixtures.cluster",
    "fixtures.probes",
    "fixtures.outside",
    "fixtures.traffic",
    "fixtures.services",
    "fixtures.affinity",
    "fixtures.joining",
    "fixtures.traces",
    "fixtures.churn",
    "fixtures.evidence",
    "fixtures.dns",
    "fixtures.policies",
    "fixtures.arrivals",
    "fixtures.policy_search",
]
