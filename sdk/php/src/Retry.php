<?php

declare(strict_types=1);

namespace Byond;

/**
 * When a call that failed is repeated.
 *
 * @internal
 */
final class Retry
{
    /** Codes with which the server says that nothing was done. */
    private const REFUSALS = [
        ErrorCode::UNAVAILABLE,
        ErrorCode::RATE_LIMITED,
        ErrorCode::IDEMPOTENCY_IN_PROGRESS,
    ];

    /** Codes of calls of which nobody knows whether they were carried out. */
    private const FAILURES = [
        ErrorCode::CONNECTION_FAILED,
        ErrorCode::INTERNAL,
        ErrorCode::OUTCOME_UNKNOWN,
    ];

    /**
     * Makes attempts until one succeeds, may not be repeated, or the next could not begin before the deadline.
     *
     * @template T
     * @param \Closure(): T $attempt
     * @return T
     * @throws ByondException
     */
    public static function run(bool $isRepeatable, int $maxRetries, Deadline $deadline, \Closure $attempt): mixed
    {
        for ($retries = 0;; $retries++) {
            try {
                return $attempt();
            } catch (ByondException $error) {
                $isLost = $error->errorCode === ErrorCode::CONNECTION_FAILED && $deadline->hasPassed();
                if ($isLost || $error->errorCode === ErrorCode::TIMED_OUT) {
                    // An attempt knows only the time that was left. PSR-18 clients have no error of their own for it.
                    throw ByondException::timedOut($deadline->seconds, $error);
                }
                if ($retries >= $maxRetries || !self::isWorthRetrying($error, $isRepeatable)) {
                    throw $error;
                }
                $pause = self::pause($error, $retries);
                if ($pause >= $deadline->remaining()) {
                    throw $error;
                }
                self::sleep($pause);
            }
        }
    }

    /** Whether a call that failed may be sent again, and may then succeed. */
    public static function isWorthRetrying(ByondException $error, bool $isRepeatable): bool
    {
        $isFailure = in_array($error->errorCode, self::FAILURES, true)
            || ($error->errorCode === ErrorCode::INVALID_RESPONSE && $error->status >= 500);
        return in_array($error->errorCode, self::REFUSALS, true) || ($isRepeatable && $isFailure);
    }

    /**
     * The pause before a repetition in seconds: what the server asked for, or half a second that doubles, up to 8
     * seconds. Less or more by chance.
     */
    public static function pause(ByondException $error, int $retries): float
    {
        $chance = mt_rand() / mt_getrandmax();
        return $error->retryAfter === null
            ? min(0.5 * 2 ** $retries, 8) * (0.5 + $chance / 2)
            : $error->retryAfter + $chance * 0.25;
    }

    /** A signal that a handler deals with does not shorten it. */
    public static function sleep(float $seconds): void
    {
        $deadline = new Deadline($seconds);
        while (!$deadline->hasPassed()) {
            usleep((int) ceil($deadline->remaining() * 1e6));
        }
    }
}
