<?php

declare(strict_types=1);

namespace Byond\Http;

/** An answer of which the body is still to come. */
final class StreamedResponse
{
    /**
     * @param array<string, string> $headers By their names in lower case.
     * @param \Generator<int, string> $chunks The body, as it arrives. It throws a `ByondException` when the connection
     *     is lost, and closes it when nobody reads it any more.
     */
    public function __construct(
        public readonly int $status,
        public readonly array $headers,
        public readonly \Generator $chunks,
    ) {
    }
}
