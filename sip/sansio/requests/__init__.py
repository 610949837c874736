"""Requests of ours: where they go, and what is done when they are refused.

:mod:`~sip.sansio.requests.sender` takes each from its URI to the hops that may have it.
A refusal that says what would be taken is met once (:mod:`~sip.sansio.requests.retry`
and what it uses), a redirection is followed.
"""
