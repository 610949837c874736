"""Requests without a call: those that we make, and those that we answer.

:mod:`~sip.aio.requests.asking` is what an application asks of a user agent, an
:mod:`~sip.aio.requests.exchange` waits for the response, and
:mod:`~sip.aio.requests.answering` runs the handlers of what peers ask.
:mod:`~sip.aio.requests.registration` keeps us known to a registrar.
"""
