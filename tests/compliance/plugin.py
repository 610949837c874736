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

FAMILIES = {
    "MSRP": "message sessions (RFC 4975)",
    "MT": "scenarios of message sessions",
    "FIELD": "how real stacks behave",
    "COM": "who connects (RFC 6135, RFC 4145)",
    "CEMA": "middleboxes (RFC 6714)",
    "FP": "fingerprints (RFC 8122)",
    "SDP": "session descriptions (RFC 8866)",
    "OA": "offers and answers (RFC 3264)",
    "MIME": "content types and multiparts (RFC 2045, RFC 2046)",
    "CID": "content ids (RFC 2392)",
    "CD": "dispositions (RFC 2183)",
    "CPIM": "message/cpim (RFC 3862)",
    "IM": "addresses of people (RFC 3860)",
    "SIP": "the user agent (RFC 3261 and those after it)",
    "ST": "scenarios of the user agent",
    "NG": "consoles of NG9-1-1 (NENA-STA-010)",
    "NT": "scenarios of such consoles",
    "RLY": "relays (RFC 4976)",
    "FT": "file transfer by offer (RFC 5547)",
    "CHAT": "chat rooms (RFC 7701)",
    "WS": "MSRP over WebSocket (RFC 7977)",
    "DC": "MSRP over data channels (RFC 8873)",
    "TYP": "typing (RFC 3994)",
    "IMDN": "delivered and displayed (RFC 5438)",
    "XT": "scenarios of the extensions",
}
"""What the rules with these letters are about, as headings of the page."""


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
        sections: dict[str, list[str]] = {}
        for name, (rfc, section, text) in rules.items():
            tests = sorted(map(_short, self._tests.get(name, ())))
            shown = ", ".join(f"`{test}`" for test in tests)
            reason = _reason(name, reasons)
            if not shown and reason is None:
                self.problems.append(f"{name} has neither a test nor a reason")
            how = shown or f"not done: {reason}"
            where = " ".join(filter(None, (rfc, section and f"§{section}")))
            row = f"| {name} | {where} | {text} | {how} |"
            sections.setdefault(_family(name), []).append(row)
        page = HEAD + _summary(rules, self._tests) + _details(sections)
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


def _family(name: str) -> str:
    return name.partition("-")[0]


def _summary(rules: dict[str, tuple[str, str, str]], tests: dict[str, set[str]]) -> str:
    families: dict[str, list[bool]] = defaultdict(list)
    for name in rules:
        families[_family(name)].append(bool(tests.get(name)))
    lines = ["| rules | about | how many | shown by a test |", "|---|---|---|---|"]
    lines += [
        f"| [{f}](#{f.lower()}) | {FAMILIES[f]} | {len(shown)} | {sum(shown)} |"
        for f, shown in families.items()
    ]
    return "\n".join(lines) + "\n"


def _details(sections: dict[str, list[str]]) -> str:
    head = "| rule | RFC | what it asks | test |\n|---|---|---|---|\n"
    return "".join(
        f"\n## {family}\n\nWhat it is about: {FAMILIES[family]}.\n\n{head}"
        + "\n".join(rows)
        + "\n"
        for family, rows in sections.items()
    )


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
