<?php

declare(strict_types=1);

namespace Byond\Http;

/** A whole answer. */
final class Response
{
    /** @param array<string, string> $headers By their names in lower case. */
    public function __construct(
        public readonly int $status,
        public readonly array $headers,
        public readonly string $body,
    ) {
    }
}
