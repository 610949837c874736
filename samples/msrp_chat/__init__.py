"""``msrp-chat``: two parties hold a text call in the terminal.

It is the program to run first, and a tool for trying things against other stacks.
``demo``, ``call``, ``listen`` and ``session`` (one module each) are four ways to
get an :class:`msrp.MsrpConnection`.  What happens on it is the same for all, a
:class:`~msrp_chat.conversation.Conversation`: it sends, shows what arrives, and
saves files.  What to say comes from the command line, from a script, or from a
prompt, and is a row of :class:`~msrp_chat.script.Step` in each case.

All that happens is an :class:`~msrp_chat.events.Event`, told to an
:class:`~msrp_chat.output.Output`, which writes it as JSON or for people.  The demo
is nothing but ``listen`` and ``call`` in two processes, whose JSON it reads, shows
and checks.

Nothing is imported here, and little in :mod:`msrp_chat.cli`, so that ``--help``
needn't wait for what it doesn't use.
"""

from __future__ import annotations

__all__: list[str] = []
