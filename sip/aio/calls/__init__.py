"""Calls as an application sees them.

:mod:`~sip.aio.calls.call` is what every call has; it is made of what may be changed
(:mod:`~sip.aio.calls.changing`, by way of :mod:`~sip.aio.calls.renegotiation`) and of
what may be said in it (:mod:`~sip.aio.calls.conversation`).  How a call begins is in
:mod:`~sip.aio.calls.incoming` and :mod:`~sip.aio.calls.outgoing`, how it is passed on
in :mod:`~sip.aio.calls.transfer`.  :mod:`~sip.aio.calls.desk` keeps those of a user
agent, and :mod:`~sip.aio.calls.calling` is what the user agent offers of it.
"""
