<?php

declare(strict_types=1);

namespace Byond;

/**
 * A time until which a call must be done.
 *
 * @internal
 */
final class Deadline
{
    private readonly float $endsAt;

    public function __construct(public readonly float $seconds)
    {
        $this->endsAt = self::now() + $seconds;
    }

    /** Seconds that are left. Negative once the deadline has passed. */
    public function remaining(): float
    {
        return $this->endsAt - self::now();
    }

    public function hasPassed(): bool
    {
        return $this->remaining() <= 0;
    }

    /** Seconds of a clock that is never set. */
    private static function now(): float
    {
        return hrtime(true) / 1e9;
    }
}
