"""The transport layer: sockets, connections, TLS (:rfc:`3261#section-18`).

:mod:`~sip.aio.transport.layer` decides which socket takes a message.  What comes in is
accepted by :mod:`~sip.aio.transport.listeners`; a connection is a
:mod:`~sip.aio.transport.stream`; what comes and goes by UDP is in
:mod:`~sip.aio.transport.datagrams`, over a :mod:`~sip.aio.transport.udp` socket.
"""
