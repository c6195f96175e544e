<?php

declare(strict_types=1);

namespace Byond\Http;

/** A request, ready to be sent. */
final class Request
{
    /**
     * @param array<string, string> $headers By their names in lower case.
     * @param string|null $body Null if there is none.
     */
    public function __construct(
        public readonly string $method,
        public readonly string $url,
        public readonly array $headers,
        public readonly ?string $body,
    ) {
    }
}
