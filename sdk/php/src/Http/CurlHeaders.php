<?php

declare(strict_types=1);

namespace Byond\Http;

/**
 * Collects the headers of an answer, as curl passes them line by line.
 *
 * @internal
 */
final class CurlHeaders
{
    public int $status = 0;

    /** @var array<string, string> By their names in lower case. */
    public array $headers = [];

    public bool $areComplete = false;

    /** @return int The length of the line: curl wants to know that it was taken. */
    public function add(string $line): int
    {
        $text = rtrim($line, "\r\n");
        if (preg_match('#^HTTP/\S+ (\d{3})#', $text, $match) === 1) {
            // Also of the answer after an interim one.
            $this->status = (int) $match[1];
            $this->headers = [];
        } elseif ($text === '') {
            $this->areComplete = $this->status >= 200;
        } elseif (str_contains($text, ':')) {
            [$name, $value] = explode(':', $text, 2);
            $this->headers[strtolower($name)] = trim($value);
        }
        return strlen($line);
    }
}
