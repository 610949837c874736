"""The user agent for programs without asyncio: its methods block.

It runs on an event loop in a thread of its own (:mod:`~sip.aio.blocking.loop_thread`).
"""
