<?php

declare(strict_types=1);

namespace Byond\Json;

/**
 * Makes values of the API's JSON of parameters. Null stays null: it is absent.
 *
 * @internal
 */
final class JsonWriter
{
    /** A text is taken for a time in the API's form: times that a caller got elsewhere need no object. */
    public static function time(\DateTimeInterface|string|null $value): ?string
    {
        return $value instanceof \DateTimeInterface
            ? gmdate('Y-m-d\TH:i:s\Z', $value->getTimestamp())
            : $value;
    }

    public static function bytes(?string $value): ?string
    {
        return $value === null ? null : base64_encode($value);
    }

    public static function int64(?int $value): ?string
    {
        return $value === null ? null : (string) $value;
    }

    /**
     * @param array<array-key, mixed>|null $value
     * @param \Closure(mixed): mixed|null $convert
     * @return list<mixed>|null
     */
    public static function list(?array $value, ?\Closure $convert = null): ?array
    {
        return $value === null ? null : array_values($convert === null ? $value : array_map($convert, $value));
    }

    /**
     * An array without elements would otherwise become a list.
     *
     * @param array<array-key, mixed>|null $value
     * @param \Closure(mixed): mixed|null $convert
     */
    public static function map(?array $value, ?\Closure $convert = null): ?object
    {
        return $value === null ? null : (object) ($convert === null ? $value : array_map($convert, $value));
    }

    /** @param array<string, mixed>|null $value */
    public static function object(?array $value): ?object
    {
        return self::map($value);
    }
}
