"""MSRP without I/O: octets and time in, octets and events out.

:class:`~msrp.sansio.stream.Stream` is one connection and
:class:`~msrp.sansio.session.Session` one session on it; the other modules are their
parts, each testable alone.  Nothing here imports a socket, a clock or an event
loop, so that a test can be the network.
"""
