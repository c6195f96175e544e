<?php

declare(strict_types=1);

namespace Byond;

/**
 * An event of a stream (HTML §9.2.6). Without `data` it only sets the id, or shows that the connection lives.
 *
 * @internal
 */
final class ServerSentEvent
{
    private function __construct(
        public readonly ?string $event,
        public readonly ?string $data,
        public readonly ?string $id,
    ) {
    }

    /**
     * Parses what arrives, as it arrives.
     *
     * @param iterable<string> $chunks
     * @return \Generator<int, self>
     */
    public static function parse(iterable $chunks): \Generator
    {
        // The line that has not ended, and those of the event. Each is looked at once, however long an event is.
        $line = '';
        $lines = [];
        foreach ($chunks as $chunk) {
            $starts = explode("\n", $chunk);
            $line .= array_shift($starts);
            foreach ($starts as $start) {
                $ended = str_ends_with($line, "\r") ? substr($line, 0, -1) : $line;
                $line = $start;
                if ($ended !== '') {
                    $lines[] = $ended;
                    continue;
                }
                yield self::parseLines($lines);
                $lines = [];
            }
        }
    }

    /** @param list<string> $lines */
    private static function parseLines(array $lines): self
    {
        $fields = [];
        foreach ($lines as $line) {
            if (preg_match('/^(data|event|id)(?:: ?(.*))?$/Ds', $line, $match) === 1) {
                [, $name, $value] = $match + [2 => ''];
                $fields[$name] = $name === 'data' && isset($fields['data']) ? "{$fields['data']}\n$value" : $value;
            }
        }
        return new self($fields['event'] ?? null, $fields['data'] ?? null, $fields['id'] ?? null);
    }
}
