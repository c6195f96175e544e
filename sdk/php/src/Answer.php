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
    public static function invalid(int $status, array $headers): ByondException
    {
        return new ByondException(
            "The answer, with status $status, is not one of the API. Is the base URL right?",
            ErrorCode::INVALID_RESPONSE,
            $status,
            $headers['x-request-id'] ?? null,
            self::seconds($headers['retry-after'] ?? ''),
        );
    }

    /** `Retry-After`: seconds, or the date when they are over. */
    private static function seconds(string $retryAfter): ?int
    {
        if (ctype_digit($retryAfter)) {
            return (int) $retryAfter;
        }
        $date = \DateTimeImmutable::createFromFormat('D, d M Y H:i:s \G\M\T', $retryAfter, new \DateTimeZone('UTC'));
        return $date === false ? null : max(0, $date->getTimestamp() - time());
    }
}
