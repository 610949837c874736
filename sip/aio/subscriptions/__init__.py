"""Subscriptions as an application sees them (:rfc:`6665`).

A :class:`~sip.Subscription` is one of ours: read what the peer tells with
``async for``.  A :class:`~sip.Watcher` is one that a peer has with us: tell it what
there is to tell.
"""
