<?php

declare(strict_types=1);

namespace Byond\Json;

use Byond\Result;

/**
 * Reads values of the API's JSON. What is absent, or of another type than this version knows, is the default of the
 * type, or null: a server of another version must not break a client.
 *
 * @internal
 */
final class JsonReader
{
    public static function stringOrNull(mixed $json): ?string
    {
        return is_string($json) ? $json : null;
    }

    public static function string(mixed $json): string
    {
        return self::stringOrNull($json) ?? '';
    }

    public static function booleanOrNull(mixed $json): ?bool
    {
        return is_bool($json) ? $json : null;
    }

    public static function boolean(mixed $json): bool
    {
        return self::booleanOrNull($json) ?? false;
    }

    /** Also those of 64 bits, which the JSON has as texts. */
    public static function integerOrNull(mixed $json): ?int
    {
        return is_numeric($json) ? (int) $json : null;
    }

    public static function integer(mixed $json): int
    {
        return self::integerOrNull($json) ?? 0;
    }

    public static function numberOrNull(mixed $json): ?float
    {
        return is_numeric($json) ? (float) $json : null;
    }

    public static function number(mixed $json): float
    {
        return self::numberOrNull($json) ?? 0.0;
    }

    public static function bytesOrNull(mixed $json): ?string
    {
        return is_string($json) ? (string) base64_decode($json) : null;
    }

    public static function bytes(mixed $json): string
    {
        return self::bytesOrNull($json) ?? '';
    }

    public static function timeOrNull(mixed $json): ?\DateTimeImmutable
    {
        $time = is_string($json) ? date_create_immutable($json) : false;
        return $time === false ? null : $time;
    }

    /** The default is the beginning of 1970. */
    public static function time(mixed $json): \DateTimeImmutable
    {
        return self::timeOrNull($json) ?? new \DateTimeImmutable('@0');
    }

    public static function object(mixed $json): \stdClass
    {
        return $json instanceof \stdClass ? $json : new \stdClass();
    }

    /**
     * @template T of Result
     * @param class-string<T> $class
     * @return T|null
     */
    public static function objectOrNull(mixed $json, string $class): ?Result
    {
        return $json instanceof \stdClass ? new $class($json) : null;
    }

    /**
     * One of several objects: the text beside it, up to its first dot, tells which. What is not known stays as it is.
     *
     * @param array<string, class-string<Result>> $classes
     */
    public static function choice(mixed $json, mixed $type, array $classes): Result|\stdClass|null
    {
        if (!$json instanceof \stdClass) {
            return null;
        }
        $class = $classes[explode('.', self::string($type))[0]] ?? null;
        return $class === null ? $json : new $class($json);
    }

    /**
     * @template T
     * @param \Closure(mixed): T $read
     * @return list<T>|null
     */
    public static function listOrNull(mixed $json, \Closure $read): ?array
    {
        return is_array($json) ? array_map($read, $json) : null;
    }

    /**
     * @template T
     * @param \Closure(mixed): T $read
     * @return list<T>
     */
    public static function list(mixed $json, \Closure $read): array
    {
        return self::listOrNull($json, $read) ?? [];
    }

    /**
     * The keys are data, and stay as they are.
     *
     * @template T
     * @param \Closure(mixed): T $read
     * @return array<string, T>|null
     */
    public static function mapOrNull(mixed $json, \Closure $read): ?array
    {
        return $json instanceof \stdClass ? array_map($read, (array) $json) : null;
    }

    /**
     * @template T
     * @param \Closure(mixed): T $read
     * @return array<string, T>
     */
    public static function map(mixed $json, \Closure $read): array
    {
        return self::mapOrNull($json, $read) ?? [];
    }
}
