<?php

declare(strict_types=1);

namespace Byond;

/**
 * Variables of the environment. Programs that read them from a file keep them where `getenv` does not see them.
 *
 * @internal
 */
final class Environment
{
    public static function variable(string $name): ?string
    {
        foreach ([getenv($name), $_ENV[$name] ?? null, $_SERVER[$name] ?? null] as $value) {
            if (is_string($value) && $value !== '') {
                return $value;
            }
        }
        return null;
    }
}
