"""The asyncio shell around :mod:`msrp.sansio`.

It moves octets, arms one timer per connection and applies flow control; what the
protocol means is decided in the core.
"""
