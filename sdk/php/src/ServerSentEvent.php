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
        $text = '';
        foreach ($chunks as $chunk) {
            $text .= $chunk;
            $blocks = preg_split('/\r?\n\r?\n/', $text) ?: [''];
            $text = (string) array_pop($blocks);
            foreach ($blocks as $block) {
                yield self::parseBlock($block);
            }
        }
    }

    private static function parseBlock(string $block): self
    {
        $fields = [];
        foreach (preg_split('/\r?\n/', $block) ?: [] as $line) {
            if (preg_match('/^(data|event|id)(?:: ?(.*))?$/D', $line, $match) === 1) {
                [, $name, $value] = $match + [2 => ''];
                $fields[$name] = $name === 'data' && isset($fields['data']) ? "{$fields['data']}\n$value" : $value;
            }
        }
        return new self($fields['event'] ?? null, $fields['data'] ?? null, $fields['id'] ?? null);
    }
}
