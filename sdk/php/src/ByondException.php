<?php

declare(strict_types=1);

namespace Byond;

/**
 * Why a call failed, whether the server refused it or it never got there. Branch on `errorCode`; `ErrorCode` has all of
 * them. `getCode()`, which must be a number, is the HTTP status, or 0.
 *
 *     try {
 *         $byond->verify->start(channel: 'email', recipient: $recipient);
 *     } catch (ByondException $error) {
 *         if ($error->errorCode === ErrorCode::RATE_LIMITED) {
 *             return tryAgainIn($error->retryAfter);
 *         }
 *         throw $error;
 *     }
 */
final class ByondException extends \RuntimeException
{
    /**
     * @param ErrorCode::*|string $errorCode What happened. Newer servers may have codes that this version does not
     *     know.
     * @param int|null $status The HTTP status. Null if there was no answer.
     * @param string|null $requestId The id of the request. Quote it when asking for support.
     * @param int|null $retryAfter With `rate_limited` and `unavailable`: the seconds to wait before the call is
     *     repeated.
     * @param array<string, string> $fields With `validation_error`: what is wrong, by the name that the field has in
     *     the API.
     * @param string|null $requiredScope With `insufficient_scope`: the scope that the key lacks.
     * @param Model\GuardReason::*|string|null $reason With `recipient_blocked`, and where the fraud guard answers
     *     otherwise: why it refused the send.
     * @param string|null $spent With `spend_cap_reached`: what was spent in the period of the cap, such as `25.00`.
     * @param \DateTimeImmutable|null $resetsAt With `spend_cap_reached`: when the next period begins.
     * @param string|null $documentationUrl Where the code is explained.
     */
    public function __construct(
        string $message,
        public readonly string $errorCode,
        public readonly ?int $status = null,
        public readonly ?string $requestId = null,
        public readonly ?int $retryAfter = null,
        public readonly array $fields = [],
        public readonly ?string $requiredScope = null,
        public readonly ?string $reason = null,
        public readonly ?string $spent = null,
        public readonly ?\DateTimeImmutable $resetsAt = null,
        public readonly ?string $documentationUrl = null,
        ?\Throwable $previous = null,
    ) {
        parent::__construct($message, $status ?? 0, $previous);
    }

    /**
     * Reads the member `error` of an answer. Null if it is not one of the API.
     *
     * @internal
     */
    public static function fromJson(mixed $error, ?int $status = null): ?self
    {
        if (!$error instanceof \stdClass || !is_string($error->code ?? null)) {
            return null;
        }
        $text = static fn (string $name): ?string => is_string($error->$name ?? null) ? $error->$name : null;
        $retryAfter = $error->retry_after ?? null;
        $fields = $error->fields ?? null;
        return new self(
            $text('message') ?? $error->code,
            $error->code,
            $status,
            $text('request_id'),
            is_int($retryAfter) && $retryAfter >= 0 ? $retryAfter : null,
            $fields instanceof \stdClass ? array_filter((array) $fields, is_string(...)) : [],
            $text('required_scope'),
            $text('reason'),
            $text('spent'),
            Json\JsonReader::timeOrNull($error->resets_at ?? null),
            $text('documentation_url'),
        );
    }

    /** @internal */
    public static function connectionFailed(string $why, ?\Throwable $previous = null): self
    {
        return new self(
            "The server was not reached, or the connection was lost: $why",
            ErrorCode::CONNECTION_FAILED,
            previous: $previous,
        );
    }

    /** @internal */
    public static function timedOut(float $seconds, ?\Throwable $previous = null): self
    {
        return new self("The call took longer than $seconds s.", ErrorCode::TIMED_OUT, previous: $previous);
    }
}
