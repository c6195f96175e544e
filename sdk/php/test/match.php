<?php

/** Compares outcomes by the rules at the head of `sdk/cases.yaml`. */

declare(strict_types=1);

namespace Byond\Test;

/** What is wrong with a value; null if it matches. */
function problemOf(mixed $actual, mixed $expected, string $path): ?string
{
    $flags = JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES | JSON_PARTIAL_OUTPUT_ON_ERROR;
    $wrong = ($path === '' ? 'the outcome' : $path)
        . ' is ' . json_encode($actual, $flags) . ', not ' . json_encode($expected, $flags);
    if (!is_array($expected)) {
        return $actual === $expected ? null : $wrong;
    }
    if (array_is_list($expected)) {
        if (!is_array($actual) || !array_is_list($actual) || count($actual) !== count($expected)) {
            return $wrong;
        }
    } elseif (str_starts_with((string) array_key_first($expected), '$')) {
        $operator = (string) array_key_first($expected);
        return matchesOperator($actual, $operator, $expected[$operator]) ? null : $wrong;
    } elseif (!is_array($actual)) {
        return $wrong;
    }
    foreach ($expected as $name => $value) {
        $problem = problemOf($actual[$name] ?? null, $value, "$path.$name");
        if ($problem !== null) {
            return $problem;
        }
    }
    return null;
}

function matchesOperator(mixed $actual, string $operator, mixed $operand): bool
{
    return match ($operator) {
        '$match' => is_string($actual) && preg_match('~' . str_replace('~', '\~', $operand) . '~u', $actual) === 1,
        '$present' => $actual !== null,
        '$absent' => $actual === null,
        '$length' => is_array($actual) && count($actual) === $operand,
        '$at_least' => (is_array($actual) ? count($actual) : $actual) >= $operand,
        '$not' => problemOf($actual, $operand, '') !== null,
    };
}
