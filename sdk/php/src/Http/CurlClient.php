<?php

declare(strict_types=1);

namespace Byond\Http;

use Byond\ByondException;

/** Sends requests with ext-curl, one after the other over the same connection. Streams have connections of their own. */
final class CurlClient implements HttpClient
{
    private ?\CurlHandle $handle = null;

    /** The process that opened the connection. */
    private int|false|null $processId = null;

    public function send(Request $request, float $timeout): Response
    {
        if ($timeout <= 0) {
            throw ByondException::timedOut($timeout);
        }
        $handle = $this->handle();
        $headers = new CurlHeaders();
        // It keeps the connection.
        curl_reset($handle);
        curl_setopt_array($handle, CurlOptions::of($request, $headers) + [
            CURLOPT_RETURNTRANSFER => true,
            CURLOPT_TIMEOUT_MS => (int) ceil($timeout * 1000),
        ]);
        $body = curl_exec($handle);
        if (!is_string($body)) {
            throw curl_errno($handle) === CURLE_OPERATION_TIMEDOUT
                ? ByondException::timedOut($timeout)
                : ByondException::connectionFailed(curl_error($handle));
        }
        return new Response($headers->status, $headers->headers, $body);
    }

    public function open(Request $request, float $timeout, float $silence): StreamedResponse
    {
        return (new CurlStream($request))->open($timeout, $silence);
    }

    /** A process that was forked must not read the answers of its parent, whose connection it has, too. */
    private function handle(): \CurlHandle
    {
        if ($this->handle === null || $this->processId !== getmypid()) {
            $this->handle = curl_init();
            $this->processId = getmypid();
        }
        return $this->handle;
    }
}
