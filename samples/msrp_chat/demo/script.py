"""What the two parties of the demo say to each other."""

from __future__ import annotations

from pathlib import Path

import mime

__all__ = ["CALLER", "CONSOLE", "write_script"]

CALLER = "caller"
CONSOLE = "console"

_SCRIPTS = {
    CALLER: """\
text There is a fire behind the hills, on the far side of the lake.
expect address
cpim 12 Mill Road. We are all out of the house.
expect picture
file {path}
expect Engine 7
multipart It looks like this now. | {path}
expect two minutes
text Thank you!
expect Goodbye
quit
""",
    CONSOLE: """\
expect fire
text 9-1-1. What is the address?
expect Mill Road
cpim Help is on its way. Can you send us a picture?
expect {name}
multipart Engine 7 has got your picture, this one. | {path}
expect {name}
text Stay by the water. They are with you in two minutes.
expect Thank you
text Goodbye.
""",
}


def write_script(party: str, directory: Path, sent: Path) -> Path:
    """Write the script of a party.

    Args:
        party: Which of the two.
        directory: Where to put it.
        sent: The file that goes both ways.

    Returns:
        Where it is.
    """
    script = directory / f"{party}.script"
    words = _SCRIPTS[party].format(path=sent, name=mime.safe_filename(sent.name))
    script.write_text(words, encoding="utf-8")
    return script
