"""What ``--help`` says around the options."""

from __future__ import annotations

from msrp_chat.conversation.script import LANGUAGE

__all__ = [
    "CALL",
    "COMPLETION",
    "DEMO",
    "DESCRIPTION",
    "EXIT_CODES",
    "LISTEN",
    "SCRIPT",
    "SESSION",
]

DESCRIPTION = """\
A text call in the terminal: MSRP messages (RFC 4975) in a SIP call (RFC 3261).

Start here:     msrp-chat demo
Then, in two terminals:
                msrp-chat listen --sip-port 5060
                msrp-chat call "sip:console@127.0.0.1:5060;transport=tcp"
"""

EXIT_CODES = """\
exit codes:
  0    done
  1    the peer refused or was lost, or something was not delivered
  2    usage: the command line, or a file that it names, isn't right
  3    could not connect: unreachable, timeout, wrong certificate, port in use
  129  the terminal went away; the other side was told with a BYE
  130  interrupted with Ctrl-C; likewise, and 143 after SIGTERM
"""

DEMO = """\
Two processes on this machine, a caller and a call taker, hold a text call, first
over TCP and then over TLS: INVITE, 180, 200, ACK, texts as text/plain and as
message/cpim both ways, a picture, text and picture in one multipart message,
delivery reports, BYE.  It ends with 0 only if all of it has happened and the
pictures have arrived octet for octet.

example:
  msrp-chat demo --tls --file photo.jpg --save received
"""

LISTEN = """\
Wait for SIP calls over UDP and TCP, answer them, and talk: at a prompt, or as
--text, --file, --script and --echo say.  The caller hangs up.  The URI to call is
printed first.

example:
  msrp-chat listen --sip-port 5060 --tls --echo --save received
"""

CALL = """\
Call a SIP URI and talk: at a prompt, or as --text, --file and --script say.  When
all of that has arrived, and the other side has been silent for --wait seconds, the
call ends with BYE.  A URI that doesn't say where to go, such as urn:service:sos,
needs a --proxy; sip:urn:service:sos@HOST is short for that with the proxy at HOST.
A call for help says with --location where we are.  urn:service:test.sos is for tests
that no call taker is to be disturbed by.

examples:
  msrp-chat call "sip:console@127.0.0.1:5060;transport=tcp" --text Hello --file a.jpg
  msrp-chat call urn:service:sos --proxy "sip:192.0.2.1;transport=tcp" \\
                 --location 42.5463,-73.2512,30 --lang en,es
  msrp-chat call sip:alice@example.com --account work
"""

COMPLETION = """\
Print what makes a shell complete our commands and options.

examples:
  eval "$(msrp-chat completion bash)"         # in ~/.bashrc
  eval "$(msrp-chat completion zsh)"          # in ~/.zshrc
  msrp-chat completion fish > ~/.config/fish/completions/msrp-chat.fish
"""

SESSION = """\
Hold a message session without SIP: both sides are told the two paths by hand, and
one of them connects.  With msrps: URIs it runs over TLS; our certificate's
fingerprint is printed, and --fingerprint says which one the other side has.

example, in two terminals:
  msrp-chat session --passive --echo --local-path "msrp://127.0.0.1:2855/bob;tcp" \\
                    --remote-path "msrp://127.0.0.1:9/alice;tcp"
  msrp-chat session --active --text Hello --local-path "msrp://127.0.0.1:9/alice;tcp" \\
                    --remote-path "msrp://127.0.0.1:2855/bob;tcp"
"""


def _rows() -> str:
    words = LANGUAGE.values()
    return "".join(f"  {word.example:<30} {word.meaning}\n" for word in words)


SCRIPT = f"""\
a script has one step per line:
{_rows()}"""
