"""The transport layer: sockets, connections, TLS (:rfc:`3261#section-18`).

:mod:`~sip.aio.transport.layer` decides which socket takes a message.  What comes in is
accepted by :mod:`~sip.aio.transport.listeners`; a connection is a
:mod:`~sip.aio.transport.stream`, a UDP socket :mod:`~sip.aio.transport.datagrams`.
"""
