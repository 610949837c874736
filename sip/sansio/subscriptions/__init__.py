"""Subscriptions, both ways, and REFER, which makes one (:rfc:`6665`, :rfc:`3515`)."""
