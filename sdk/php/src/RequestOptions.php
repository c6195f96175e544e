<?php

declare(strict_types=1);

namespace Byond;

/** Options of one call. They go before those of the client. */
final class RequestOptions
{
    /**
     * @param string|null $idempotencyKey The `Idempotency-Key` of the call. Default: a random one. Use your own to
     *     repeat a call after a crash.
     * @param float|null $timeout The deadline of the call in seconds, all attempts and pauses included. Of a stream:
     *     until it is open.
     * @param int|null $maxRetries How often the call is repeated at most.
     * @param array<string, string> $headers More headers.
     */
    public function __construct(
        public readonly ?string $idempotencyKey = null,
        public readonly ?float $timeout = null,
        public readonly ?int $maxRetries = null,
        public readonly array $headers = [],
    ) {
    }
}
