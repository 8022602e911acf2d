"""Fixtures of all tests; each lives in the module of `tests/support` that its name suggests."""

pytest_plugins = [
    "tests.support.properties",
    "tests.support.network",
    "tests.support.databases",
    "tests.support.lookups",
    "tests.support.statements",
    "tests.support.browsing",
    "tests.support.smtp",
    "tests.support.dns",
    "tests.support.chromium",
    "tests.support.live",
    "tests.support.text_browsers",
]
