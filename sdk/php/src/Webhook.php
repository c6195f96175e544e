<?php

declare(strict_types=1);

namespace Byond;

use Byond\Model\Event;
use Psr\Http\Message\MessageInterface;

/** Verifies the webhooks that your endpoint receives. */
final class Webhook
{
    /** How far the time of a signature may be from now, in seconds. */
    private const TOLERANCE = 300;

    private const SECRET_PREFIX = 'whsec_';

    /**
     * Verifies a webhook, and returns its event. Either of the two signatures is enough: that of Standard Webhooks
     * (`webhook-signature`), or `byond-signature`. The event of a test has the type `ping` and no `data`.
     *
     *     $event = Webhook::verify(getallheaders(), file_get_contents('php://input'), $secret);
     *
     * @param array<string, string|list<string>>|MessageInterface $headers The headers of the request: of
     *     `getallheaders()`, `$_SERVER`, a framework, or a PSR-7 request. Names are matched in any case.
     * @param string $body The body as it arrived, not JSON that was parsed and written again.
     * @param string $secret The secret of the endpoint: `whsec_…`.
     * @throws ByondException With `webhook_signature_invalid` or `webhook_signature_expired`.
     * @throws \InvalidArgumentException If there is no secret.
     */
    public static function verify(
        array|MessageInterface $headers,
        string $body,
        #[\SensitiveParameter] string $secret,
    ): Event {
        $secret = self::checkSecret($secret);
        $headers = self::normalize($headers instanceof MessageInterface ? $headers->getHeaders() : $headers);
        $unixMs = self::verifyStandard($headers, $body, $secret) ?? self::verifyByond($headers, $body, $secret);
        if ($unixMs === null) {
            throw new ByondException(
                'The webhook is not signed with this secret, or its body is not the one that was signed.',
                ErrorCode::WEBHOOK_SIGNATURE_INVALID,
            );
        }
        if (abs(microtime(true) * 1000 - $unixMs) > self::TOLERANCE * 1000) {
            throw new ByondException(
                'The webhook was signed more than five minutes ago, or the clock is wrong.',
                ErrorCode::WEBHOOK_SIGNATURE_EXPIRED,
            );
        }
        $event = json_decode($body);
        if (!$event instanceof \stdClass) {
            throw new ByondException('The body of the webhook is not an event.', ErrorCode::INVALID_RESPONSE);
        }
        return new Event($event);
    }

    /**
     * Signs a webhook as the server does, for tests of your endpoint.
     *
     * @param string $id The id of the event.
     * @param int|null $unixMs When it is signed. Default: now.
     * @return array<string, string> The headers of both signatures.
     */
    public static function sign(
        string $id,
        string $body,
        #[\SensitiveParameter] string $secret,
        ?int $unixMs = null,
    ): array {
        $secret = self::checkSecret($secret);
        $unixMs ??= (int) floor(microtime(true) * 1000);
        $timestamp = (string) intdiv($unixMs, 1000);
        return [
            'webhook-id' => $id,
            'webhook-timestamp' => $timestamp,
            'webhook-signature' => self::standardSignature($secret, $id, $timestamp, $body),
            'byond-signature' => "t=$unixMs," . self::byondSignature($secret, (string) $unixMs, $body),
        ];
    }

    /** Without the line break of a file. An empty one, of a setting that is missing, would accept what anybody signs. */
    private static function checkSecret(#[\SensitiveParameter] string $secret): string
    {
        $secret = trim($secret);
        if (in_array($secret, ['', self::SECRET_PREFIX], true)) {
            throw new \InvalidArgumentException('The secret of the webhook is empty.');
        }
        return $secret;
    }

    /**
     * The time of the signature in milliseconds; null if it is missing, malformed or wrong.
     *
     * @param array<string, string> $headers
     */
    private static function verifyStandard(array $headers, string $body, #[\SensitiveParameter] string $secret): ?int
    {
        $id = $headers['webhook-id'] ?? null;
        $timestamp = $headers['webhook-timestamp'] ?? '';
        if ($id === null || preg_match('/^\d{1,12}$/D', $timestamp) !== 1) {
            return null;
        }
        $signatures = explode(' ', $headers['webhook-signature'] ?? '');
        $expected = self::standardSignature($secret, $id, $timestamp, $body);
        return self::hasMatch($signatures, $expected) ? (int) $timestamp * 1000 : null;
    }

    /** @param array<string, string> $headers */
    private static function verifyByond(array $headers, string $body, #[\SensitiveParameter] string $secret): ?int
    {
        $signatures = array_map(trim(...), explode(',', $headers['byond-signature'] ?? ''));
        if (preg_match('/^t=(\d{1,15})$/D', array_shift($signatures), $match) !== 1) {
            return null;
        }
        return self::hasMatch($signatures, self::byondSignature($secret, $match[1], $body)) ? (int) $match[1] : null;
    }

    /** @param list<string> $signatures */
    private static function hasMatch(array $signatures, string $expected): bool
    {
        foreach ($signatures as $signature) {
            if (hash_equals($expected, $signature)) {
                return true;
            }
        }
        return false;
    }

    private static function standardSignature(
        #[\SensitiveParameter] string $secret,
        string $id,
        string $timestamp,
        string $body,
    ): string {
        $key = str_starts_with($secret, self::SECRET_PREFIX) ? substr($secret, strlen(self::SECRET_PREFIX)) : $secret;
        $bytes = base64_decode($key, true);
        if ($bytes === false || $bytes === '') {
            throw new \InvalidArgumentException('The secret of the webhook is not one: whsec_ and base64.');
        }
        return 'v1,' . base64_encode(hash_hmac('sha256', "$id.$timestamp.$body", $bytes, true));
    }

    private static function byondSignature(
        #[\SensitiveParameter] string $secret,
        string $unixMs,
        string $body,
    ): string {
        return 'v1=' . hash_hmac('sha256', "$unixMs.$body", $secret);
    }

    /**
     * Headers by their names in lower case. Those of `$_SERVER` are called `HTTP_WEBHOOK_ID`.
     *
     * @param array<string, mixed> $headers
     * @return array<string, string>
     */
    private static function normalize(array $headers): array
    {
        $normalized = [];
        foreach ($headers as $name => $value) {
            $name = preg_replace('/^HTTP_/', '', (string) $name) ?? '';
            if (is_string($value) || is_array($value)) {
                $text = is_array($value) ? implode(',', array_filter($value, is_string(...))) : $value;
                $normalized[str_replace('_', '-', strtolower($name))] = $text;
            }
        }
        return $normalized;
    }
}
