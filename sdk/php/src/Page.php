<?php

declare(strict_types=1);

namespace Byond;

/**
 * A page of a list. `foreach` goes through the elements of this page and of all that follow, which are loaded as they
 * are needed.
 *
 *     foreach ($byond->verify->list(status: 'approved') as $verification) {
 *         echo $verification->verificationId, "\n";
 *     }
 *
 * @template T of Result
 * @implements \IteratorAggregate<int, T>
 */
final class Page implements \IteratorAggregate
{
    /**
     * @internal
     * @param list<T> $items The elements of this page alone.
     * @param string|null $nextPageToken Pass it as `pageToken` to get the next page, now or later. Null on the last
     *     page.
     * @param \Closure(string): Page<T> $load Loads the page of a token.
     */
    public function __construct(
        public readonly array $items,
        public readonly ?string $nextPageToken,
        private readonly \Closure $load,
    ) {
    }

    /**
     * The next page. Null on the last one.
     *
     * @return Page<T>|null
     * @throws ByondException
     */
    public function nextPage(): ?Page
    {
        return $this->nextPageToken === null ? null : ($this->load)($this->nextPageToken);
    }

    /**
     * The elements of this page and of all that follow.
     *
     * @return \Generator<int, T>
     * @throws ByondException
     */
    public function getIterator(): \Generator
    {
        for ($page = $this; $page !== null; $page = $page->nextPage()) {
            // Not `yield from`, which would begin each page with the key 0.
            foreach ($page->items as $item) {
                yield $item;
            }
        }
    }
}
