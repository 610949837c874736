"""Diagrams of the state machines, drawn from the tables that the code runs by.

``python -m docs.building.diagrams`` writes ``docs/diagrams/*.svg`` by Graphviz, which
need not be there otherwise: each picture says from which description it was drawn, and
a test compares that with the tables.
"""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterable, Mapping
from enum import Enum
from pathlib import Path
from typing import TypeVar

from msrp.composing import composer, composers
from msrp.sansio import outgoing, session_state
from sip.sansio import registration
from sip.sansio.calls import call
from sip.sansio.transactions import tables

__all__ = ["FOLDER", "describe_all", "mark_of"]

FOLDER = Path(__file__).parent.parent / "diagrams"

_STYLE = """\
  bgcolor=transparent; rankdir=LR; nodesep=0.35; ranksep=0.6;
  node [shape=box, style="rounded,filled", fillcolor="#e7f3f0", color="#2f7f74",
        fontname="Helvetica", fontsize=12, margin="0.15,0.07"];
  edge [fontname="Helvetica", fontsize=10, color="#667777", fontcolor="#556666",
        arrowsize=0.7];
"""

S = TypeVar("S", bound=Enum)
T = TypeVar("T", bound=Enum)

Edge = tuple[Enum, Enum, str]
"""From where, to where, and why."""

_SHORT = {
    tables.Happening.PROVISIONAL: "1xx",
    tables.Happening.SUCCESS: "2xx",
    tables.Happening.FAILURE: "3xx–6xx",
    tables.Happening.REQUEST: "request again",
    tables.Happening.ACK: "ACK",
    tables.Happening.REPEAT: "repeating timer",
    tables.Happening.EXPIRE: "expiring timer",
    tables.Happening.TRANSPORT_ERROR: "transport error",
}


def describe_all() -> dict[str, str]:
    """Return what Graphviz draws: descriptions by the names of the files."""
    session = _by_trigger(session_state.NEXT)
    message = _by_trigger(outgoing.NEXT)
    machines = {
        "session": session,
        "message": message,
        "composer": _telling(composer.NEXT),
        "composers": _by_trigger(composers.NEXT),
        "invite-client": _transaction(tables.INVITE_CLIENT),
        "invite-server": _transaction(tables.INVITE_SERVER),
        "client": _transaction(tables.NON_INVITE_CLIENT),
        "server": _transaction(tables.NON_INVITE_SERVER),
        "call": _plain(call.NEXT),
        "registration": _plain(registration.NEXT),
    }
    return {name: _describe(edges) for name, edges in machines.items()}


def mark_of(description: str) -> str:
    """Return what a picture says of the description that it was drawn from."""
    return f"<!-- drawn from {hashlib.sha256(description.encode()).hexdigest()} -->"


def _by_trigger(table: Mapping[tuple[S, T], S]) -> list[Edge]:
    return [(state, then, _words(why)) for (state, why), then in table.items()]


def _telling(table: Mapping[tuple[S, T], tuple[S, S | None]]) -> list[Edge]:
    """Say what is told, too, where something is."""
    return [
        (state, then, _words(why) + ("" if told is None else f" / {_words(told)}"))
        for (state, why), (then, told) in table.items()
    ]


def _transaction(table: tables.Table) -> list[Edge]:
    return [(state, step.state, _SHORT[why]) for (state, why), step in table.items()]


def _plain(table: Mapping[S, Iterable[S]]) -> list[Edge]:
    order = list(table)
    return [
        (state, then, "")
        for state, following in table.items()
        for then in sorted(following, key=order.index)
    ]


def _describe(edges: list[Edge]) -> str:
    """Write a graph, with one arrow for all that leads from one state to another."""
    states = dict.fromkeys(state for edge in edges for state in edge[:2])
    reasons: dict[tuple[Enum, Enum], list[str]] = {}
    for state, then, why in edges:
        reasons.setdefault((state, then), []).append(why)
    lines = [f'  {state.name} [label="{_words(state)}"];' for state in states]
    lines += [
        f'  {state.name} -> {then.name} [label="{_list(whys)}"];'
        for (state, then), whys in reasons.items()
    ]
    return "digraph {\n" + _STYLE + "\n".join(lines) + "\n}\n"


def _words(member: Enum) -> str:
    return member.name.lower().replace("_", " ")


def _list(whys: list[str]) -> str:
    return "\\n".join(dict.fromkeys(whys))


def main() -> None:
    """Draw all of them."""
    FOLDER.mkdir(exist_ok=True)
    for name, description in describe_all().items():
        drawing = subprocess.run(
            ["dot", "-Tsvg"],
            input=description,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        ).stdout
        picture = drawing[drawing.index("<svg") :]
        (FOLDER / f"{name}.svg").write_text(f"{mark_of(description)}\n{picture}")


if __name__ == "__main__":
    main()
