<?php

declare(strict_types=1);

namespace Byond;

use Byond\Http\CurlClient;
use Byond\Http\HttpClient;

/**
 * A client of a Byond server. Make one and keep it: it keeps its connection for the next call.
 *
 *     $byond = new Byond\Client(); // BYOND_BASE_URL and BYONDAPI_KEY
 *     $started = $byond->verify->start(channel: 'email', recipient: 'ada@example.com');
 *     $checked = $byond->verify->check($started->verificationId, code: '000000');
 */
final class Client extends Services
{
    /**
     * Whether calls are about the sandbox, by the key or the mode: nothing leaves the server, and codes are zeros
     * (`Sandbox::code()`).
     */
    public readonly bool $isSandbox;

    private readonly ?string $apiKey;

    private readonly ?string $accessToken;

    private readonly string $baseUrl;

    private readonly HttpClient $httpClient;

    /**
     * @param string|null $apiKey The API key. Default: the environment variable `BYONDAPI_KEY`, unless there is an
     *     `accessToken`.
     * @param string|null $accessToken The access token of a session, for calls that manage keys, accounts and
     *     workspaces. Instead of a key.
     * @param string|null $baseUrl Where the server is. Default: the environment variable `BYOND_BASE_URL`, or
     *     `BYOND_URL`, or `http://127.0.0.1:8080`.
     * @param 'live'|'test'|null $mode With an `accessToken`: the mode that calls are about. Default: `live`. Keys have
     *     a mode of their own.
     * @param bool $signRequests Whether requests are signed (`v2`), each attempt anew, for keys that demand it.
     * @param int $maxRetries How often a failed call is repeated at most.
     * @param float $timeout The deadline of a call in seconds, all attempts and pauses included. Of a stream: until it
     *     is open.
     * @param array<string, string> $headers Headers of every request.
     * @param HttpClient|null $httpClient What sends requests. Default: ext-curl. See `Http\Psr18Client`.
     */
    public function __construct(
        #[\SensitiveParameter] ?string $apiKey = null,
        #[\SensitiveParameter] ?string $accessToken = null,
        ?string $baseUrl = null,
        private readonly ?string $mode = null,
        private readonly bool $signRequests = false,
        private readonly int $maxRetries = 2,
        private readonly float $timeout = 30.0,
        private readonly array $headers = [],
        ?HttpClient $httpClient = null,
    ) {
        // A file that a secret is read from may end with a line break.
        $accessToken = $accessToken === null ? null : trim($accessToken);
        $apiKey = $accessToken === null ? $apiKey ?? Environment::variable('BYONDAPI_KEY') : null;
        $this->apiKey = $apiKey === null ? null : trim($apiKey);
        $this->accessToken = $accessToken;
        $this->baseUrl = self::normalizeUrl(
            $baseUrl
                ?? Environment::variable('BYOND_BASE_URL')
                ?? Environment::variable('BYOND_URL')
                ?? 'http://127.0.0.1:8080',
        );
        $this->httpClient = $httpClient ?? new CurlClient();
        $this->isSandbox = $this->apiKey === null ? $mode === 'test' : Sandbox::isKey($this->apiKey);
        parent::__construct(new Caller(
            $this->httpClient,
            $this->baseUrl,
            $this->apiKey,
            $accessToken,
            $mode,
            $signRequests,
            $maxRetries,
            $timeout,
            $headers,
        ));
    }

    /**
     * A client with the same options but these: for the calls of a signed-in user, or of another key. A key takes the
     * place of an access token, and the other way round.
     *
     *     $session = $byond->auth->signIn(email: $email, password: $password);
     *     $keys = $byond->with(accessToken: $session->accessToken)->keys->list();
     *
     * @param 'live'|'test'|null $mode
     * @param array<string, string>|null $headers
     */
    public function with(
        #[\SensitiveParameter] ?string $apiKey = null,
        #[\SensitiveParameter] ?string $accessToken = null,
        ?string $baseUrl = null,
        ?string $mode = null,
        ?bool $signRequests = null,
        ?int $maxRetries = null,
        ?float $timeout = null,
        ?array $headers = null,
        ?HttpClient $httpClient = null,
    ): self {
        $keepsCredential = $apiKey === null && $accessToken === null;
        return new self(
            $keepsCredential ? $this->apiKey : $apiKey,
            $keepsCredential ? $this->accessToken : $accessToken,
            $baseUrl ?? $this->baseUrl,
            $mode ?? $this->mode,
            $signRequests ?? $this->signRequests,
            $maxRetries ?? $this->maxRetries,
            $timeout ?? $this->timeout,
            $headers ?? $this->headers,
            $httpClient ?? $this->httpClient,
        );
    }

    /** @return array<string, string|bool> What is shown of it in dumps: not the credential. */
    public function __debugInfo(): array
    {
        return ['baseUrl' => $this->baseUrl, 'isSandbox' => $this->isSandbox];
    }

    /** Or else sessions and queues would keep the credential. */
    public function __serialize(): array
    {
        throw new \LogicException('A client cannot be serialized: it has a credential.');
    }

    /** Without a slash at the end, and also of the address of the API itself, as the reference writes it. */
    private static function normalizeUrl(string $url): string
    {
        $url = trim($url);
        if (preg_match('#^https?://#i', $url) !== 1) {
            // It is not shown: it may have a password.
            throw new \InvalidArgumentException('The base URL must begin with http:// or https://.');
        }
        $url = rtrim($url, '/');
        return str_ends_with($url, '/api/v1') ? substr($url, 0, -strlen('/api/v1')) : $url;
    }
}
