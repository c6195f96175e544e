"""Lists, which come a page at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Generator, Iterator
from typing import Callable, Generic, TypeVar

Item = TypeVar("Item")


class Page(Generic[Item]):
    """A page of a list. Going through it goes through the elements of all pages, which are loaded as they are needed.

    Example:
        ```python
        for verification in byond.verify.list(status="approved"):
            print(verification.verification_id)
        ```
    """

    items: list[Item]
    """The elements of this page."""

    next_page_token: str | None
    """Pass it as `page_token` to get the next page, now or later. None on the last page."""

    def __init__(self, items: list[Item], next_page_token: str | None, load: Callable[[str], Page[Item]]) -> None:
        """Pages are made by calls."""
        self.items = items
        self.next_page_token = next_page_token
        self._load = load

    def next_page(self) -> Page[Item] | None:
        """Loads the next page. None on the last one."""
        return None if self.next_page_token is None else self._load(self.next_page_token)

    def __iter__(self) -> Iterator[Item]:
        page: Page[Item] | None = self
        while page is not None:
            yield from page.items
            page = page.next_page()

    def __repr__(self) -> str:
        return f"Page(items={self.items!r}, next_page_token={self.next_page_token!r})"


class AsyncPage(Generic[Item]):
    """A page of a list, of an `AsyncByond`. `async for` goes through the elements of all pages."""

    items: list[Item]
    """The elements of this page."""

    next_page_token: str | None
    """Pass it as `page_token` to get the next page, now or later. None on the last page."""

    def __init__(
        self, items: list[Item], next_page_token: str | None, load: Callable[[str], Awaitable[AsyncPage[Item]]]
    ) -> None:
        """Pages are made by calls."""
        self.items = items
        self.next_page_token = next_page_token
        self._load = load

    async def next_page(self) -> AsyncPage[Item] | None:
        """Loads the next page. None on the last one."""
        return None if self.next_page_token is None else await self._load(self.next_page_token)

    async def __aiter__(self) -> AsyncIterator[Item]:
        page: AsyncPage[Item] | None = self
        while page is not None:
            for item in page.items:
                yield item
            page = await page.next_page()

    def __repr__(self) -> str:
        return f"AsyncPage(items={self.items!r}, next_page_token={self.next_page_token!r})"


class AsyncList(Generic[Item]):
    """A list, of an `AsyncByond`. Await it for the first page, or go through the elements of all pages.

    Example:
        ```python
        async for verification in byond.verify.list(status="approved"):
            print(verification.verification_id)
        ```
    """

    def __init__(self, load: Callable[[], Awaitable[AsyncPage[Item]]]) -> None:
        """Lists are made by calls."""
        self._load = load

    def __await__(self) -> Generator[object, object, AsyncPage[Item]]:
        return self._load().__await__()

    async def __aiter__(self) -> AsyncIterator[Item]:
        async for item in await self:
            yield item
