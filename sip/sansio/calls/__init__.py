"""Calls: an INVITE, the dialog that it makes, and everything up to the BYE.

:mod:`~sip.sansio.calls.call` is what both sides do, :mod:`~sip.sansio.calls.client` and
:mod:`~sip.sansio.calls.server` how a call begins on each.  Who may offer a session when
is a table (:mod:`~sip.sansio.calls.offers`).
"""
