"""Which conformance rules are shown by which tests.

Tests carry the marker ``@pytest.mark.rule("MSRP-29", …)``.  ``rules.tsv`` lists the
rules there are and ``not_done.tsv`` those without a test, with the reason.  From
the three, ``pytest --compliance`` writes ``docs/compliance.md``; a run of all tests
fails when that page is stale, when a rule has neither a test nor a reason, or when
a marker names a rule that there isn't.
"""

from __future__ import annotations

import csv
import fnmatch
from collections import defaultdict
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
PAGE = ROOT / "docs" / "compliance.md"

HEAD = """\
# Compliance

Written by `make compliance` from the markers of the tests; don't edit it. A rule is
done when a test that names it passes. Rules that aren't of an RFC are how real stacks
behave (FIELD), what NENA asks of a console (NG), and whole scenarios (MT, ST, NT, XT).

"""


class Compliance:
    """Collects markers and keeps the page."""

    def __init__(self, *, write: bool) -> None:
        self._write = write
        self._tests: dict[str, set[str]] = defaultdict(set)
        self._complete = False
        self.problems: list[str] = []

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            for marker in item.iter_markers("rule"):
                for rule in marker.args:
                    self._tests[rule].add(item.nodeid.partition("[")[0])

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        options = session.config.option
        everything = session.config.getini("testpaths")
        self._complete = (
            list(session.config.args) == list(everything)
            and not options.keyword
            and not options.markexpr
        )
        if self._complete or self._write:
            self._check()

    def _check(self) -> None:
        rules, reasons = _rules(), _reasons()
        self.problems += [f"no rule {r}" for r in sorted(set(self._tests) - set(rules))]
        lines = []
        for name, (rfc, section, text) in rules.items():
            tests = sorted(map(_short, self._tests.get(name, ())))
            shown = ", ".join(f"`{test}`" for test in tests)
            reason = _reason(name, reasons)
            if not shown and reason is None:
                self.problems.append(f"{name} has neither a test nor a reason")
            how = shown or f"not done: {reason}"
            where = " ".join(filter(None, (rfc, section and f"§{section}")))
            lines.append(f"| {name} | {where} | {text} | {how} |")
        page = HEAD + _summary(rules, self._tests) + "\n".join(lines) + "\n"
        if self._write:
            PAGE.write_text(page)
        elif not PAGE.exists() or PAGE.read_text() != page:
            self.problems.append("docs/compliance.md is stale: run `make compliance`")

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.problems and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter
    ) -> None:
        if self.problems:
            terminalreporter.section("compliance", red=True)
            for problem in self.problems:
                terminalreporter.line(problem)


def _short(node_id: str) -> str:
    return node_id.removeprefix("tests/").replace(".py::", ": ")


def _rules() -> dict[str, tuple[str, str, str]]:
    rows = list(_rows("rules.tsv"))[1:]
    return {name: (rfc, section, text) for name, rfc, section, text in rows}


def _reasons() -> dict[str, str]:
    return {pattern: reason for pattern, reason in list(_rows("not_done.tsv"))[1:]}


def _reason(name: str, reasons: dict[str, str]) -> str | None:
    fitting = [p for p in reasons if fnmatch.fnmatchcase(name, p)]
    return reasons[max(fitting, key=len)] if fitting else None


def _rows(file: str) -> list[list[str]]:
    with (HERE / file).open(newline="") as lines:
        return list(csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


def _summary(rules: dict[str, tuple[str, str, str]], tests: dict[str, set[str]]) -> str:
    families: dict[str, list[bool]] = defaultdict(list)
    for name in rules:
        families[name.partition("-")[0]].append(bool(tests.get(name)))
    lines = ["| family | rules | shown by a test |", "|---|---|---|"]
    lines += [f"| {f} | {len(shown)} | {sum(shown)} |" for f, shown in families.items()]
    head = ["", "| rule | RFC | what it asks | test |", "|---|---|---|---|", ""]
    return "\n".join(lines + head)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--compliance", action="store_true", help="write docs/compliance.md and stop"
    )


def pytest_configure(config: pytest.Config) -> None:
    write = config.getoption("--compliance")
    if write:
        config.option.collectonly = True
        config.option.verbose = -2
    config.pluginmanager.register(Compliance(write=write), "compliance")
