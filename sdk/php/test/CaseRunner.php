<?php

declare(strict_types=1);

namespace Byond\Test;

use Byond\ByondException;
use Byond\Client;
use Byond\EventStream;
use Byond\Http\HttpClient;
use Byond\Page;
use Byond\RequestOptions;
use Byond\Result;
use Byond\Sandbox;
use Byond\Webhook;

/** Runs cases of `sdk/cases.yaml`, whose format is documented at the head of that file. */
final class CaseRunner
{
    /** @var array<string, mixed> What the steps of the case saved. */
    private array $saved = [];

    /**
     * @param array<string, array{path: list<string>}> $operations
     * @param \Closure(float): HttpClient $makeHttpClient For calls that end after so many seconds.
     */
    public function __construct(
        private readonly array $operations,
        private readonly \Closure $makeHttpClient,
    ) {
    }

    /**
     * Runs a case.
     *
     * @param array<string, mixed> $case
     * @return string|null The reason if it failed.
     */
    public function run(array $case): ?string
    {
        $this->saved = [];
        $client = $this->makeClient($case['client']);
        foreach ($case['steps'] as $index => $template) {
            for ($times = $template['repeat'] ?? 1; $times > 0; $times--) {
                $step = $this->fillIn($template);
                $problem = $this->runStep(isset($step['as']) ? $this->makeClient($step['as']) : $client, $step);
                if ($problem !== null) {
                    $what = $step['call'] ?? $step['iterate'] ?? $step['stream'] ?? $step['helper'];
                    return 'step ' . ($index + 1) . " ($what): $problem";
                }
            }
        }
        return null;
    }

    /** @param array<string, mixed> $settings */
    private function makeClient(array $settings): Client
    {
        $timeout = isset($settings['timeout_ms']) ? $settings['timeout_ms'] / 1000 : null;
        unset($settings['timeout_ms']);
        $options = self::named($settings) + ($timeout === null ? [] : ['timeout' => $timeout]);
        return new Client(...$options, httpClient: ($this->makeHttpClient)($timeout ?? 30.0));
    }

    /** @param array<string, mixed> $step */
    private function runStep(Client $client, array $step): ?string
    {
        $endsAt = microtime(true) + 10;
        do {
            $problem = $this->attemptStep($client, $step);
            if ($problem === null || !($step['eventually'] ?? false)) {
                return $problem;
            }
            usleep(100_000);
        } while (microtime(true) < $endsAt);
        return $problem;
    }

    /** @param array<string, mixed> $step */
    private function attemptStep(Client $client, array $step): ?string
    {
        try {
            $outcome = self::toWire($this->carryOut($client, $step));
            if (isset($step['error'])) {
                return 'it did not fail, but returned ' . json_encode($outcome);
            }
        } catch (ByondException $error) {
            if (!isset($step['error'])) {
                return "$error->errorCode: {$error->getMessage()} " . json_encode($error->fields);
            }
            $outcome = self::toWire(self::errorValues($error));
        }
        $problem = self::problemOfStep($step, $outcome);
        foreach ($problem === null ? $step['save'] ?? [] : [] as $name => $path) {
            $this->saved[$name] = array_reduce(
                $path === '' ? [] : explode('.', $path),
                static fn (mixed $value, string $key): mixed => $value[$key] ?? null,
                $outcome,
            );
        }
        return $problem;
    }

    /** @param array<string, mixed> $step */
    private static function problemOfStep(array $step, mixed $outcome): ?string
    {
        $expected = array_key_exists('error', $step) ? 'error' : 'expect';
        return array_key_exists($expected, $step) ? problemOf($outcome, $step[$expected], '') : null;
    }

    /** @param array<string, mixed> $step */
    private function carryOut(Client $client, array $step): mixed
    {
        if (isset($step['helper'])) {
            return self::callHelper($step['helper'], $step['with']);
        }
        $id = $step['call'] ?? $step['iterate'] ?? $step['stream'];
        $outcome = $this->callMethod($client, $id, $step['with'] ?? [], $step['options'] ?? []);
        if (isset($step['call'])) {
            return $outcome;
        }
        assert($outcome instanceof Page || $outcome instanceof EventStream);
        $elements = [];
        foreach ($outcome as $element) {
            $elements[] = $element;
            if (count($elements) === ($step['take'] ?? null)) {
                break;
            }
        }
        return $elements;
    }

    /**
     * Path parameters are arguments by position, the others are named.
     *
     * @param array<string, mixed> $parameters
     * @param array<string, mixed> $options
     */
    private function callMethod(Client $client, string $id, array $parameters, array $options): mixed
    {
        [$service, $method] = array_map(self::camelCase(...), explode('.', $id));
        $path = array_map(static fn (string $name): mixed => $parameters[$name], $this->operations[$id]['path']);
        $others = self::named(array_diff_key($parameters, array_flip($this->operations[$id]['path'])));
        if (isset($options['timeout_ms'])) {
            $options['timeout'] = $options['timeout_ms'] / 1000;
            unset($options['timeout_ms']);
        }
        $requestOptions = $options === [] ? null : new RequestOptions(...self::named($options));
        return $client->$service->$method(...$path, ...$others, options: $requestOptions);
    }

    /** @param array<string, mixed> $with */
    private static function callHelper(string $name, array $with): mixed
    {
        return match ($name) {
            'verify_webhook' => Webhook::verify($with['headers'], $with['body'], $with['secret']),
            'sign_webhook' => Webhook::verify(
                Webhook::sign($with['id'], $with['body'], $with['secret']),
                $with['body'],
                $with['secret'],
            ),
            'sandbox_code' => Sandbox::code($with['code_length']),
        };
    }

    /** @return array<string, mixed> */
    private static function errorValues(ByondException $error): array
    {
        return [
            'code' => $error->errorCode,
            'status' => $error->status,
            'message' => $error->getMessage(),
            'fields' => $error->fields,
            'request_id' => $error->requestId,
            'retry_after' => $error->retryAfter,
            'required_scope' => $error->requiredScope,
            'reason' => $error->reason,
            'spent' => $error->spent,
            'resets_at' => $error->resetsAt,
        ];
    }

    private function fillIn(mixed $template): mixed
    {
        if (is_array($template)) {
            return array_map($this->fillIn(...), $template);
        }
        if (!is_string($template)) {
            return $template;
        }
        if (preg_match('/^\$\{(\w+)\}$/D', $template, $match) === 1 && array_key_exists($match[1], $this->saved)) {
            return $this->saved[$match[1]];
        }
        return preg_replace_callback(
            '/\$\{(\w+)\}/',
            fn (array $match): string => (string) ($this->saved[$match[1]] ?? $match[0]),
            $template,
        );
    }

    /** A result as the JSON of the API, made of what users of the SDK see of it. */
    private static function toWire(mixed $value): mixed
    {
        if ($value instanceof \DateTimeImmutable) {
            return gmdate('Y-m-d\TH:i:s\Z', $value->getTimestamp());
        }
        if ($value instanceof Result || $value instanceof Page) {
            $wire = [];
            foreach (get_object_vars($value) as $name => $inner) {
                // Keys of metadata are the caller's own.
                $wire[self::snakeCase($name)] = $name === 'metadata' ? $inner : self::toWire($inner);
            }
            return $wire;
        }
        return is_array($value) ? array_map(self::toWire(...), $value) : $value;
    }

    /**
     * @param array<string, mixed> $values
     * @return array<string, mixed>
     */
    private static function named(array $values): array
    {
        return array_combine(array_map(self::camelCase(...), array_keys($values)), $values);
    }

    private static function camelCase(string $name): string
    {
        return lcfirst(str_replace('_', '', ucwords($name, '_')));
    }

    private static function snakeCase(string $name): string
    {
        return strtolower((string) preg_replace('/[A-Z]/', '_$0', $name));
    }
}
