"""Bodies that the application makes while they are sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Callable

from msrp.aio.sending.readahead import ReadAhead

__all__ = ["IterableBody", "SizeMismatch"]


class SizeMismatch(ValueError):
    """An iterable has given more than it should."""


class IterableBody(ReadAhead):
    """A body source that pulls from an asynchronous iterable.

    The iterable is closed at the end, whatever the end is.

    Args:
        contents: What gives the octets.
        prefix: Octets that go before them, such as CPIM headers.
        length: How many octets it gives, ``None`` if nobody knows.
        limit: How many it may give, ``None`` for any number.
        wake: Called when there are octets again after there were none.
        fail: Called with what the problem is, when no more will come although
            more was due.
    """

    def __init__(
        self,
        contents: AsyncIterable[bytes],
        *,
        prefix: bytes,
        length: int | None,
        limit: int | None,
        wake: Callable[[], None],
        fail: Callable[[str], None],
    ) -> None:
        super().__init__(prefix, wake)
        self._iterator = aiter(contents)
        self._length = length
        self._limit = limit
        self._fail = fail
        self._pulled = 0
        self._closing = False
        self._finishing = False

    @property
    def size(self) -> int | None:
        """Octets of the prefix and what follows, if that is known."""
        return None if self._length is None else self._prefix_size + self._length

    async def close(self) -> None:
        """Stop pulling, and close the iterable."""
        self._closing = True
        if self._finishing and self._task is not None:
            await asyncio.wait([self._task])  # It closes the iterable already.
            return
        await super().close()
        if not self._finishing:  # It was cancelled before it had its first turn.
            await self._close_iterator()

    async def _read_block(self) -> bytes:
        block = await self._pull()
        self._pulled += len(block)
        if self._length is not None and self._pulled >= self._length and block:
            # The last block isn't given out before it is known to be the last: an
            # iterable that goes on, or fails at its very end, has to be told of.
            if self._pulled > self._length or await self._pull():
                raise SizeMismatch(f"there are more octets than {self._length}")
        if self._limit is not None and self._pulled > self._limit:
            raise SizeMismatch(f"the peer takes no more than {self._limit} octets")
        return block

    async def _pull(self) -> bytes:
        """Return the next octets that the iterable has; nothing at its end."""
        while True:
            try:
                block = await anext(self._iterator)
            except StopAsyncIteration:
                return b""
            if not isinstance(block, bytes | bytearray | memoryview):
                raise TypeError("what a body is made of has to be bytes")
            if block:
                return bytes(block)

    async def _read_ahead(self) -> None:
        try:
            await super()._read_ahead()
        except asyncio.CancelledError as error:
            if self._closing:
                raise
            self._failed(error)  # Something within the iterable was cancelled.
        except Exception as error:
            self._failed(error)
        finally:
            self._finishing = True
            await self._close_iterator()

    def _failed(self, error: BaseException) -> None:
        self._finishing = True
        self.error = error
        if self._closing:
            self._report(error)  # The message is over already.
        elif isinstance(error, SizeMismatch):
            self._fail(str(error))
        else:
            self._fail(f"its source raised {type(error).__name__}")

    async def _close_iterator(self) -> None:
        close = getattr(self._iterator, "aclose", None)
        if close is None:
            return
        try:
            await close()
        except Exception as error:
            self._report(error)

    def _report(self, error: BaseException) -> None:
        asyncio.get_running_loop().call_exception_handler(
            {"message": "the source of a message failed to close", "exception": error}
        )
