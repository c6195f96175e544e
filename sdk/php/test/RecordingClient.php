<?php

declare(strict_types=1);

namespace Byond\Test;

use Byond\Http\HttpClient;
use Byond\Http\Request;
use Byond\Http\Response;
use Byond\Http\StreamedResponse;

/** Remembers its requests, and answers each with the same body. */
final class RecordingClient implements HttpClient
{
    /** @var list<Request> */
    public array $requests = [];

    public function __construct(private readonly string $body = '{"valid":true}')
    {
    }

    public function send(Request $request, float $timeout): Response
    {
        $this->requests[] = $request;
        return new Response(200, [], $this->body);
    }

    public function open(Request $request, float $timeout, float $silence): StreamedResponse
    {
        throw new \LogicException('There are no streams here.');
    }

    /** @return list<string|null> What the requests had as a header. */
    public function sent(string $header): array
    {
        return array_map(static fn (Request $request): ?string => $request->headers[$header] ?? null, $this->requests);
    }
}
