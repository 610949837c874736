"""``msrp-chat``: two parties hold a text call in the terminal.

It is the program to run first, and a tool for trying things against other stacks.
:mod:`~msrp_chat.cli` is where it begins; then there are these rooms:

``command_line``
    what people type: commands, options, the help.
``commands``
    what the program does: ``call``, ``listen`` and ``session`` are three ways to get
    an :class:`msrp.MsrpConnection`.
``conversation``
    what is said and heard on it, the same for all.  What to say comes from the command
    line, from a script or from a prompt, and is a row of steps in each case.
``events``
    all that happens, as JSON and as lines for people.
``terminal``
    how that looks, and where people type.
``demo``
    ``listen`` and ``call`` in two processes, whose JSON it reads, shows and checks.

Nothing is imported here, and little in :mod:`msrp_chat.cli`, so that ``--help``
needn't wait for what it doesn't use.
"""

from __future__ import annotations

__all__: list[str] = []
