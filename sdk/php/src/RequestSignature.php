<?php

declare(strict_types=1);

namespace Byond;

/** Signatures of requests (`v2`), for keys that demand them. A client makes them with `signRequests`. */
final class RequestSignature
{
    /**
     * The header `Byond-Signature` of a request: `t=<unix ms>,v2=<hex HMAC-SHA256>`. The server accepts each signature
     * of a call with effects once, for five minutes.
     *
     * @param string $credential The API key, or the access token.
     * @param string $target Path and query as they are sent, below the address of the server:
     *     `/api/v1/lookup?number=%2B6591234567`.
     * @param int|null $unixMs When it is signed. Default: now.
     */
    public static function header(
        #[\SensitiveParameter] string $credential,
        string $method,
        string $target,
        string $body = '',
        ?int $unixMs = null,
    ): string {
        $unixMs ??= (int) floor(microtime(true) * 1000);
        $signature = hash_hmac('sha256', "v2\n$unixMs\n$method\n$target\n$body", $credential);
        return "t=$unixMs,v2=$signature";
    }
}
