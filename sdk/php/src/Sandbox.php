<?php

declare(strict_types=1);

namespace Byond;

/** The sandbox: what its keys do sends nothing. */
final class Sandbox
{
    /** The code of every verification that a sandbox key starts: zeros, as many as its `codeLength`. */
    public static function code(int $codeLength = 6): string
    {
        return str_repeat('0', $codeLength);
    }

    /** Whether a key belongs to the sandbox: nothing that it does leaves the server. */
    public static function isKey(#[\SensitiveParameter] string $apiKey): bool
    {
        return str_starts_with($apiKey, 'pk_test_');
    }
}
