<?php

declare(strict_types=1);

namespace Byond\Http;

use Byond\ByondException;

/** Sends requests with ext-curl, one after the other over the same connection. Streams have connections of their own. */
final class CurlClient implements HttpClient
{
    private ?\CurlHandle $handle = null;

    public function send(Request $request, float $timeout): Response
    {
        if ($timeout <= 0) {
            throw ByondException::timedOut($timeout);
        }
        $this->handle ??= curl_init();
        $headers = new CurlHeaders();
        // It keeps the connection.
        curl_reset($this->handle);
        curl_setopt_array($this->handle, CurlOptions::of($request, $headers) + [
            CURLOPT_RETURNTRANSFER => true,
            CURLOPT_TIMEOUT_MS => (int) ceil($timeout * 1000),
        ]);
        $body = curl_exec($this->handle);
        if (!is_string($body)) {
            throw curl_errno($this->handle) === CURLE_OPERATION_TIMEDOUT
                ? ByondException::timedOut($timeout)
                : ByondException::connectionFailed(curl_error($this->handle));
        }
        return new Response($headers->status, $headers->headers, $body);
    }

    public function open(Request $request, float $timeout, float $silence): StreamedResponse
    {
        return (new CurlStream($request))->open($timeout, $silence);
    }
}
