"""``msrp-chat session``: a message session without SIP, its paths given by hand.

Both sides have to be told the same two URIs, and who connects to whom.  From that
and from the fingerprints the two sections of SDP are written that a call would
have brought.
"""

from __future__ import annotations

import dataclasses

import msrp
from msrp_chat.command_line.groups import ACCEPT_TYPES
from msrp_chat.command_line.options import SessionOptions
from msrp_chat.commands.party import open_saver, session_config
from msrp_chat.commands.ports import listening, local_certificate, open_listener
from msrp_chat.commands.recorders import recorded
from msrp_chat.conversation.conversation import Conversation
from msrp_chat.conversation.hold import Plan, hold
from msrp_chat.events import Ended, Listening, Notice
from msrp_chat.events.output import CallOutput, Output
from msrp_chat.outcome import ChatError, ExitCode
from sdp import Fingerprint

__all__ = ["session"]

_PEER_TYPES = ("text/plain", "message/cpim", "*")
"""What we take the other side to accept, as nobody says it: anything, and text
unwrapped rather than in an envelope."""

_ENDED = {
    msrp.CloseReason.BY_US: "we closed the session",
    msrp.CloseReason.BY_THEM: "the other side closed the session",
    msrp.CloseReason.LOST: "the session was lost",
}


async def session(options: SessionOptions, output: Output, plan: Plan) -> None:
    """Hold a message session without SIP.

    Raises:
        ChatError: It didn't come about, or something went wrong in it.
    """
    output = CallOutput(output, 1)
    local = msrp.MsrpUri.parse(options.local_path)
    certificate = local_certificate(options) if local.secure else None
    if options.active:
        await _hold(options, output, plan, local, certificate, None)
        return
    listener = open_listener(local.host, local.port or 0, certificate)
    async with listening(listener, output):
        local = dataclasses.replace(local, port=listener.port)
        await _hold(options, output, plan, local, certificate, listener)


async def _hold(
    options: SessionOptions,
    output: Output,
    plan: Plan,
    local: msrp.MsrpUri,
    certificate: msrp.LocalCertificate | None,
    listener: msrp.MsrpListener | None,
) -> None:
    fingerprint = None if certificate is None else certificate.fingerprint
    connection = msrp.MsrpConnection(
        _negotiate(options, local, fingerprint),
        local_cert=certificate,
        listener=listener,
        config=session_config(options),
        connect_timeout=options.timeout
        if options.patience is None
        else options.patience,
    )
    saver = await open_saver(options)
    conversation = Conversation(
        connection, output, saver, echo=options.echo, receipts=options.receipts
    )
    async with recorded(options, output, [connection]):
        try:
            await _start(connection, options)
            if listener is not None:
                _announce(output, local, fingerprint)
            if fingerprint is not None:
                output.tell(Notice(text=f"certificate: {fingerprint}"))
            await _talk(conversation, plan, options)
        finally:
            await conversation.close()
    reason = (await connection.closed()).reason
    output.tell(Ended(reason=_ENDED[reason]))
    output.tell(conversation.summary())
    if conversation.problem is not None:
        raise conversation.problem


def _announce(
    output: Output, local: msrp.MsrpUri, fingerprint: Fingerprint | None
) -> None:
    words = None if fingerprint is None else str(fingerprint)
    output.tell(Listening(uri=str(local), tls=local.secure, fingerprint=words))


async def _talk(
    conversation: Conversation, plan: Plan, options: SessionOptions
) -> None:
    try:
        await hold(conversation, plan)
    except ChatError as exc:
        if isinstance(exc.__cause__, msrp.CertificateRejected):
            problem = _explain(exc.__cause__, options)
            raise ChatError(problem, ExitCode.UNREACHABLE) from exc
        raise


async def _start(connection: msrp.MsrpConnection, options: SessionOptions) -> None:
    try:
        await connection.start()
    except msrp.CertificateUnusable as exc:
        raise ChatError(str(exc), ExitCode.USAGE) from exc
    except msrp.MsrpError as exc:
        raise ChatError(_explain(exc, options), ExitCode.UNREACHABLE) from exc


def _explain(error: msrp.MsrpError, options: SessionOptions) -> str:
    """Say why there is no session, in the words of the command line."""
    if isinstance(error, msrp.CertificateRejected):
        if options.fingerprint is None:
            return f"{error}; --fingerprint says which to expect"
        return f"the certificate of {error.target} does not match --fingerprint"
    words = str(error)
    if not options.active or not isinstance(error, msrp.ConnectionFailed):
        return words
    if isinstance(error.__cause__, OSError) and not isinstance(
        error.__cause__, ConnectionResetError | ConnectionAbortedError
    ):
        return words  # There is nobody, with TLS or without.
    if options.local_path.lower().startswith("msrps:"):
        return f"{words}; if the other side has no TLS, both paths must be msrp:"
    return f"{words}; if the other side wants TLS, both paths must be msrps:"


def _negotiate(
    options: SessionOptions, local: msrp.MsrpUri, fingerprint: Fingerprint | None
) -> msrp.Negotiated:
    """Write the offer and the answer that would have led to this session.

    Raises:
        ChatError: What was given doesn't go together.
    """
    remote = msrp.MsrpUri.parse(options.remote_path)
    if local.secure != remote.secure:
        problem = "the paths must both be msrp: or, for TLS, both msrps:"
        raise ChatError(problem, ExitCode.USAGE)
    try:
        offered = msrp.offer_media(
            local,
            setup="active" if options.active else "actpass",
            accept_types=options.accept_types or ACCEPT_TYPES,
            max_size=options.max_size,
            fingerprints=[] if fingerprint is None else [fingerprint],
        )
        answered = msrp.answer_media(
            offered,
            remote,
            prefer_active=not options.active,
            accept_types=_PEER_TYPES,
            fingerprints=[Fingerprint.parse(options.fingerprint)]
            if options.fingerprint
            else [],
        )
        if answered is None:
            raise ChatError("these two paths make no session", ExitCode.USAGE)
        return msrp.negotiate(offered, answered, is_incoming=False)
    except (msrp.MsrpError, ValueError) as exc:
        raise ChatError(f"no session: {exc}", ExitCode.USAGE) from exc
