"""What makes a shell complete our commands and options, made from the parser itself."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["SHELLS", "completion_for"]

_FILES = frozenset({"FILE", "PATH", "DIR"})
"""Metavars of options that take the name of a file."""


@dataclass(frozen=True, slots=True)
class _Option:
    """One option of a command."""

    names: tuple[str, ...]
    help: str
    takes: str | None
    """The metavar of what it takes; ``None`` if it takes nothing."""

    choices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Command:
    """One command."""

    name: str
    help: str
    options: tuple[_Option, ...]
    choices: tuple[str, ...]
    """What may stand behind it without an option."""


def completion_for(shell: str, parser: argparse.ArgumentParser) -> str:
    """Return a script for a shell.

    Args:
        shell: One of :data:`SHELLS`.
        parser: What reads the command line.
    """
    commands = tuple(_commands_of(parser))
    return {"bash": _bash, "zsh": _zsh, "fish": _fish}[shell](commands)


SHELLS = ("bash", "zsh", "fish")
"""The shells that are known."""


def _commands_of(parser: argparse.ArgumentParser) -> Iterator[_Command]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            helps = {each.dest: each.help or "" for each in action._choices_actions}
            for name, command in action.choices.items():
                options = tuple(_options_of(command))
                yield _Command(name, helps.get(name, ""), options, _choices_of(command))


def _options_of(parser: argparse.ArgumentParser) -> Iterator[_Option]:
    for action in parser._actions:
        if action.option_strings and action.help is not argparse.SUPPRESS:
            metavar = action.metavar or action.dest.upper()
            yield _Option(
                tuple(action.option_strings),
                (action.help or "").replace("%%", "%"),
                None if action.nargs == 0 else str(metavar),
                tuple(action.choices or ()),
            )


def _choices_of(parser: argparse.ArgumentParser) -> tuple[str, ...]:
    for action in parser._actions:
        if not action.option_strings and action.choices:
            return tuple(action.choices)
    return ()


def _bash(commands: tuple[_Command, ...]) -> str:
    lines = [
        "_msrp_chat() {",
        "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}",
        "    COMPREPLY=()",
        "    case ${COMP_WORDS[1]},$before in",
    ]
    for command in commands:
        for option in command.options:
            pattern = "|".join(f"{command.name},{name}" for name in option.names)
            if option.choices:
                words = " ".join(option.choices)
                done = f'COMPREPLY=($(compgen -W "{words}" -- "$word"))'
            elif option.takes in _FILES:
                done = 'COMPREPLY=($(compgen -f -- "$word"))'
            elif option.takes is not None:
                done = ":"
            else:
                continue
            lines.append(f"        {pattern}) {done}; return ;;")
    lines += ["    esac", "    case $COMP_CWORD,${COMP_WORDS[1]} in"]
    names = " ".join((*(command.name for command in commands), "--help", "--version"))
    lines.append(f'        1,*) COMPREPLY=($(compgen -W "{names}" -- "$word")) ;;')
    for command in commands:
        words = " ".join(
            (*command.choices, *(n for o in command.options for n in o.names))
        )
        done = f'COMPREPLY=($(compgen -W "{words}" -- "$word"))'
        lines.append(f"        *,{command.name}) {done} ;;")
    lines += ["    esac", "}", "complete -o filenames -F _msrp_chat msrp-chat", ""]
    return "\n".join(lines)


def _zsh(commands: tuple[_Command, ...]) -> str:
    lines = [
        "#compdef msrp-chat",
        "_msrp_chat() {",
        "    local -a commands",
        "    commands=(",
        *(f"        {_quoted(f'{c.name}:{c.help}')}" for c in commands),
        "    )",
        "    if (( CURRENT == 2 )); then",
        "        _describe command commands",
        "        return",
        "    fi",
        "    local command=$words[2]",
        "    shift words; (( CURRENT-- ))",
        "    case $command in",
    ]
    for command in commands:
        lines.append(f"        {command.name})")
        lines.append("            _arguments \\")
        specs = [_zsh_spec(option) for option in command.options]
        if command.choices:
            specs.append(_quoted(f"1: :({' '.join(command.choices)})"))
        lines += [f"                {spec} \\" for spec in specs]
        lines += ["                && return 0 ;;"]
    lines += ["    esac", "}", "compdef _msrp_chat msrp-chat", ""]
    return "\n".join(lines)


def _zsh_spec(option: _Option) -> str:
    text = option.help.replace("[", "(").replace("]", ")").replace(":", r"\:")
    what = ""
    if option.choices:
        what = f":{option.takes}:({' '.join(option.choices)})"
    elif option.takes is not None:
        what = f":{option.takes}:{'_files' if option.takes in _FILES else ''}"
    names = "{" + ",".join(option.names) + "}"
    if len(option.names) == 1:
        return _quoted(f"*{option.names[0]}[{text}]{what}")
    return f"'*'{names}{_quoted(f'[{text}]{what}')}"


def _fish(commands: tuple[_Command, ...]) -> str:
    lines = ["complete -c msrp-chat -f"]
    for command in commands:
        lines.append(
            f"complete -c msrp-chat -n __fish_use_subcommand"
            f" -a {command.name} -d {_fish_quoted(command.help)}"
        )
        here = f"complete -c msrp-chat -n '__fish_seen_subcommand_from {command.name}'"
        if command.choices:
            lines.append(f"{here} -a '{' '.join(command.choices)}'")
        for option in command.options:
            words = [here]
            for name in option.names:
                words.append(f"-{'l' if name.startswith('--') else 's'}")
                words.append(name.lstrip("-"))
            if option.choices:
                words.append(f"-x -a '{' '.join(option.choices)}'")
            elif option.takes in _FILES:
                words.append("-r -F")
            elif option.takes is not None:
                words.append("-x")
            words.append(f"-d {_fish_quoted(option.help)}")
            lines.append(" ".join(words))
    return "\n".join([*lines, ""])


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _fish_quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
