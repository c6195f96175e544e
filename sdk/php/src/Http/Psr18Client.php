<?php

declare(strict_types=1);

namespace Byond\Http;

use Byond\ByondException;
use Byond\Deadline;
use Psr\Http\Client\ClientExceptionInterface;
use Psr\Http\Client\ClientInterface;
use Psr\Http\Message\RequestFactoryInterface;
use Psr\Http\Message\ResponseInterface;
use Psr\Http\Message\StreamFactoryInterface;
use Psr\Http\Message\StreamInterface;

/**
 * Sends requests with a PSR-18 client. PSR-18 has no timeouts: set one in the client, or a server that never answers is
 * waited for forever. The deadline of a call then only decides about its repetitions.
 *
 * Nor does PSR-18 say whether a body can be read while it arrives. Most clients wait for its end, and that of a stream
 * never comes. So streams need a second client, which does not wait; with Guzzle it is
 * `new GuzzleHttp\Client(['stream' => true, 'read_timeout' => 30])`.
 *
 *     $factory = new GuzzleHttp\Psr7\HttpFactory();
 *     $httpClient = new Psr18Client(new GuzzleHttp\Client(['timeout' => 30]), $factory, $factory);
 *     $byond = new Byond\Client(httpClient: $httpClient);
 */
final class Psr18Client implements HttpClient
{
    /** @param ClientInterface|null $streamingClient For `events->stream()`: reads bodies while they arrive. */
    public function __construct(
        private readonly ClientInterface $client,
        private readonly RequestFactoryInterface $requestFactory,
        private readonly StreamFactoryInterface $streamFactory,
        private readonly ?ClientInterface $streamingClient = null,
    ) {
    }

    public function send(Request $request, float $timeout): Response
    {
        if ($timeout <= 0) {
            throw ByondException::timedOut($timeout);
        }
        $response = $this->sendWith($this->client, $request);
        try {
            return new Response($response->getStatusCode(), self::headersOf($response), (string) $response->getBody());
        } catch (\RuntimeException $error) {
            throw ByondException::connectionFailed($error->getMessage(), $error);
        }
    }

    public function open(Request $request, float $timeout, float $silence): StreamedResponse
    {
        if ($this->streamingClient === null) {
            throw new \LogicException('Streams need a client that reads bodies while they arrive: streamingClient.');
        }
        $response = $this->sendWith($this->streamingClient, $request);
        return new StreamedResponse(
            $response->getStatusCode(),
            self::headersOf($response),
            self::chunks($response, $silence),
        );
    }

    private function sendWith(ClientInterface $client, Request $request): ResponseInterface
    {
        $message = $this->requestFactory->createRequest($request->method, $request->url);
        foreach ($request->headers as $name => $value) {
            $message = $message->withHeader($name, $value);
        }
        if ($request->body !== null) {
            $message = $message->withBody($this->streamFactory->createStream($request->body));
        }
        try {
            return $client->sendRequest($message);
        } catch (ClientExceptionInterface $error) {
            throw ByondException::connectionFailed($error->getMessage(), $error);
        }
    }

    /** @return array<string, string> */
    private static function headersOf(ResponseInterface $response): array
    {
        $headers = array_map(static fn (array $values): string => implode(', ', $values), $response->getHeaders());
        return array_change_key_case($headers, CASE_LOWER);
    }

    /** @return \Generator<int, string> */
    private static function chunks(ResponseInterface $response, float $silence): \Generator
    {
        $body = $response->getBody();
        $line = '';
        try {
            $deadline = new Deadline($silence);
            while (true) {
                // PHP's own streams wait until they have as much as was asked for, if the body is chunked.
                $byte = self::readByte($body);
                $line .= $byte;
                if ($byte === "\n") {
                    yield $line;
                    $line = '';
                }
                if ($byte !== '') {
                    $deadline = new Deadline($silence);
                } elseif ($deadline->hasPassed() || $body->getMetadata('timed_out') === true) {
                    throw ByondException::connectionFailed("nothing came for $silence seconds");
                } elseif ($body->eof()) {
                    yield $line;
                    return;
                } else {
                    // Of a client that does not wait.
                    usleep(10_000);
                }
            }
        } finally {
            $body->close();
        }
    }

    private static function readByte(StreamInterface $body): string
    {
        try {
            return $body->read(1);
        } catch (\RuntimeException $error) {
            throw ByondException::connectionFailed($error->getMessage(), $error);
        }
    }
}
