<?php

declare(strict_types=1);

namespace Byond;

use Byond\Http\HttpClient;
use Byond\Http\Request;
use Byond\Json\JsonReader;

/**
 * Makes the calls of the services: requests with their headers and signatures, retries, and the results' JSON.
 *
 * @internal
 */
final class Caller
{
    /** The server sends a heartbeat every ten seconds. A connection that is silent for longer than this is dead. */
    private const SILENCE_SECONDS = 30.0;

    /** @param array<string, string> $headers */
    public function __construct(
        private readonly HttpClient $httpClient,
        private readonly string $baseUrl,
        #[\SensitiveParameter] private readonly ?string $apiKey,
        #[\SensitiveParameter] private readonly ?string $accessToken,
        private readonly ?string $mode,
        private readonly bool $signRequests,
        private readonly int $maxRetries,
        private readonly float $timeout,
        private readonly array $headers,
    ) {
    }

    /** @return array<string, string> What is shown of it in dumps: not the credential. */
    public function __debugInfo(): array
    {
        return ['baseUrl' => $this->baseUrl];
    }

    /** Or else sessions and queues would keep the credential. */
    public function __serialize(): array
    {
        throw new \LogicException('A client cannot be serialized: it has a credential.');
    }

    /**
     * @param array<string, string> $path
     * @param array<string, mixed> $parameters
     * @throws ByondException
     */
    public function call(
        Operation $operation,
        array $path,
        #[\SensitiveParameter] array $parameters,
        ?RequestOptions $options,
    ): \stdClass {
        $deadline = new Deadline($options?->timeout ?? $this->timeout);
        // Made once: a repetition must be known as one.
        $headers = $this->headersOf($operation, $options);
        $attempt = function () use ($operation, $path, $parameters, $headers, $deadline): \stdClass {
            $request = $this->requestOf($operation, $path, $parameters, ['accept' => 'application/json'] + $headers);
            $response = $this->httpClient->send($request, $deadline->remaining());
            return Answer::read($response->status, $response->headers, $response->body);
        };
        return Retry::run($operation->isRepeatable, $options?->maxRetries ?? $this->maxRetries, $deadline, $attempt);
    }

    /**
     * @template T of Result
     * @param array<string, string> $path
     * @param array<string, mixed> $parameters
     * @param \Closure(\stdClass): T $read
     * @return Page<T>
     * @throws ByondException
     */
    public function page(
        Operation $operation,
        array $path,
        #[\SensitiveParameter] array $parameters,
        ?RequestOptions $options,
        \Closure $read,
    ): Page {
        $json = $this->call($operation, $path, $parameters, $options);
        $items = $json->{(string) $operation->itemsField} ?? null;
        $token = $json->next_page_token ?? null;
        return new Page(
            JsonReader::list($items, static fn (mixed $item): Result => $read(JsonReader::object($item))),
            is_string($token) && $token !== '' ? $token : null,
            fn (string $pageToken): Page => $this->page(
                $operation,
                $path,
                ['page_token' => $pageToken] + $parameters,
                $options,
                $read,
            ),
        );
    }

    /**
     * @template T of Result
     * @param array<string, string> $path
     * @param array<string, mixed> $parameters
     * @param \Closure(\stdClass): T $read
     * @return EventStream<T>
     */
    public function stream(
        Operation $operation,
        array $path,
        #[\SensitiveParameter] array $parameters,
        ?RequestOptions $options,
        \Closure $read,
    ): EventStream {
        $headers = ['accept' => 'text/event-stream'] + $this->headersOf($operation, $options);
        $timeout = $options?->timeout ?? $this->timeout;
        $open = function (?string $resumeAfter) use ($operation, $path, $parameters, $headers, $timeout): iterable {
            if ($resumeAfter !== null) {
                $parameters[(string) $operation->resumeParameter] = $resumeAfter;
                $headers['last-event-id'] = $resumeAfter;
            }
            $request = $this->requestOf($operation, $path, $parameters, $headers);
            $response = $this->httpClient->open($request, $timeout, self::SILENCE_SECONDS);
            if ($response->status < 200 || $response->status >= 300) {
                $body = implode('', iterator_to_array($response->chunks, false));
                Answer::read($response->status, $response->headers, $body);
            }
            if (!str_starts_with($response->headers['content-type'] ?? '', 'text/event-stream')) {
                // A page of a proxy, with blank lines, would pass for heartbeats.
                throw Answer::invalid($response->status, $response->headers);
            }
            return ServerSentEvent::parse($response->chunks);
        };
        return new EventStream($open, $read, $options?->maxRetries ?? $this->maxRetries);
    }

    /**
     * A request, with a signature of its own.
     *
     * @param array<string, string> $path
     * @param array<string, mixed> $parameters
     * @param array<string, string> $headers
     */
    private function requestOf(
        Operation $operation,
        array $path,
        #[\SensitiveParameter] array $parameters,
        #[\SensitiveParameter] array $headers,
    ): Request {
        $given = array_filter($parameters, static fn (mixed $value): bool => $value !== null);
        $target = preg_replace_callback(
            '/\{(\w+)\}/',
            static fn (array $match): string => self::segment($match[1], $path[$match[1]]),
            $operation->path,
        );
        $body = null;
        if ($operation->hasBody) {
            $body = json_encode((object) $given, JSON_THROW_ON_ERROR | JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES);
            $headers = ['content-type' => 'application/json'] + $headers;
        } elseif ($given !== []) {
            $target .= self::query($given);
        }
        $credential = $this->accessToken ?? $this->apiKey;
        if ($this->signRequests && $credential !== null) {
            $headers['byond-signature'] = RequestSignature::header(
                $credential,
                $operation->method,
                $target,
                $body ?? '',
            );
        }
        return new Request($operation->method, $this->baseUrl . $target, $headers, $body);
    }

    /** A part of a path that is an id. With some it would be another call: that of what is above it. */
    private static function segment(string $name, string $id): string
    {
        if (in_array($id, ['', '.', '..'], true)) {
            throw new \InvalidArgumentException($id === '' ? "$name is empty." : "$name is not an id.");
        }
        return rawurlencode($id);
    }

    /**
     * Lists repeat their name.
     *
     * @param array<string, mixed> $parameters
     */
    private static function query(#[\SensitiveParameter] array $parameters): string
    {
        $pairs = [];
        foreach ($parameters as $name => $value) {
            foreach (is_array($value) ? $value : [$value] as $one) {
                $text = is_bool($one) ? ($one ? 'true' : 'false') : (string) $one;
                $pairs[] = rawurlencode($name) . '=' . rawurlencode($text);
            }
        }
        return $pairs === [] ? '' : '?' . implode('&', $pairs);
    }

    /** @return array<string, string> By their names in lower case: the caller's own go before ours. */
    private function headersOf(Operation $operation, ?RequestOptions $options): array
    {
        $headers = ['byond-version' => Version::API, 'user-agent' => 'byond-php/' . Version::SDK];
        if ($operation->takesCredential && $this->accessToken !== null) {
            $headers['authorization'] = "Bearer $this->accessToken";
            if ($this->mode !== null) {
                $headers['byond-mode'] = $this->mode;
            }
        } elseif ($operation->takesCredential && $this->apiKey !== null) {
            $headers['x-api-key'] = $this->apiKey;
        }
        if ($operation->hasSideEffects) {
            $headers['idempotency-key'] = $options?->idempotencyKey ?? self::randomKey();
        }
        foreach ([$this->headers, $options->headers ?? []] as $own) {
            $headers = array_change_key_case($own, CASE_LOWER) + $headers;
        }
        foreach ($headers as $name => $value) {
            if (preg_match('/[\r\n\0]/', $value) === 1) {
                throw new \InvalidArgumentException("The header $name must not have line breaks.");
            }
        }
        return $headers;
    }

    private static function randomKey(): string
    {
        return bin2hex(random_bytes(16));
    }
}
