<?php

declare(strict_types=1);

namespace Byond;

/**
 * Reads answers of the API.
 *
 * @internal
 */
final class Answer
{
    /**
     * The JSON of a successful answer, out of its envelope if it has one.
     *
     * @param array<string, string> $headers By their names in lower case.
     * @throws ByondException The error of any other answer.
     */
    public static function read(int $status, array $headers, #[\SensitiveParameter] string $body): \stdClass
    {
        $json = json_decode($body);
        if (!$json instanceof \stdClass) {
            throw self::invalid($status, $headers);
        }
        $isEnvelope = is_bool($json->ok ?? null) && (property_exists($json, 'data') || property_exists($json, 'error'));
        if ($status >= 200 && $status < 300 && (!$isEnvelope || $json->ok)) {
            $result = $isEnvelope ? $json->data ?? null : $json;
            return $result instanceof \stdClass ? $result : throw self::invalid($status, $headers);
        }
        throw ByondException::fromJson($json->error ?? null, $status) ?? self::invalid($status, $headers);
    }

    /** @param array<string, string> $headers */
    private static function invalid(int $status, array $headers): ByondException
    {
        $retryAfter = $headers['retry-after'] ?? '';
        return new ByondException(
            "The answer, with status $status, is not one of the API. Is the base URL right?",
            ErrorCode::INVALID_RESPONSE,
            $status,
            $headers['x-request-id'] ?? null,
            ctype_digit($retryAfter) ? (int) $retryAfter : null,
        );
    }
}
