<?php

declare(strict_types=1);

namespace Byond\Http;

/**
 * The options of curl for a request.
 *
 * @internal
 */
final class CurlOptions
{
    /** @return array<int, mixed> */
    public static function of(Request $request, CurlHeaders $headers): array
    {
        // Curl would wait for a permission before it sends a larger body.
        $lines = ['expect:'];
        foreach ($request->headers as $name => $value) {
            $lines[] = $value === '' ? "$name;" : "$name: $value";
        }
        $options = [
            CURLOPT_URL => $request->url,
            CURLOPT_CUSTOMREQUEST => $request->method,
            CURLOPT_HEADERFUNCTION => static fn (\CurlHandle $handle, string $line): int => $headers->add($line),
            CURLOPT_PROTOCOLS => CURLPROTO_HTTP | CURLPROTO_HTTPS,
            // The path is signed as it is.
            CURLOPT_PATH_AS_IS => true,
            // Timeouts of less than a second work without signals only.
            CURLOPT_NOSIGNAL => true,
        ];
        if ($request->body !== null) {
            $options[CURLOPT_POSTFIELDS] = $request->body;
        } elseif (in_array($request->method, ['POST', 'PUT', 'PATCH'], true)) {
            // An empty body with its length, and without the type of a form.
            $options[CURLOPT_POSTFIELDS] = '';
            $lines[] = 'content-type:';
        }
        return $options + [CURLOPT_HTTPHEADER => $lines];
    }
}
