"""Transactions: a request, its responses, and repetitions (:rfc:`3261#section-17`).

The four state machines are tables (:mod:`~sip.sansio.transactions.tables`) that one
class runs; :mod:`~sip.sansio.transactions.layer` finds the one that a message is for.
"""
