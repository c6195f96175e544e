<?php

/**
 * Runs `sdk/cases.yaml`, as `sdk/test/run.ts` gives it, with this SDK: `php test/run-cases.php [--psr18] <file>`. With
 * `--psr18` requests are sent by Guzzle instead of ext-curl.
 */

declare(strict_types=1);

namespace Byond\Test;

use Byond\Http\CurlClient;
use Byond\Http\HttpClient;
use Byond\Http\Psr18Client;

require __DIR__ . '/../autoload.php';
require __DIR__ . '/match.php';
require __DIR__ . '/CaseRunner.php';

// Whatever PHP complains about is an error of the SDK.
error_reporting(E_ALL);
set_error_handler(static function (int $level, string $message, string $file, int $line): never {
    throw new \ErrorException($message, 0, $level, $file, $line);
});

$arguments = array_slice($argv, 1);
$usesPsr18 = $arguments[0] === '--psr18';
$input = json_decode((string) file_get_contents((string) end($arguments)), true, flags: JSON_THROW_ON_ERROR);

if ($usesPsr18) {
    require 'GuzzleHttp/autoload.php';
    $factory = new \GuzzleHttp\Psr7\HttpFactory();
    $makeHttpClient = static fn (float $timeout): HttpClient => new Psr18Client(
        new \GuzzleHttp\Client(['timeout' => $timeout]),
        $factory,
        $factory,
        new \GuzzleHttp\Client(['stream' => true, 'read_timeout' => 30]),
    );
} else {
    $client = new CurlClient();
    $makeHttpClient = static fn (float $timeout): HttpClient => $client;
}

$runner = new CaseRunner($input['operations'], $makeHttpClient);
foreach ($input['cases'] as $case) {
    try {
        $reason = $runner->run($case);
    } catch (\Throwable $error) {
        $reason = (string) $error;
    }
    $result = $reason === null ? ['status' => 'passed'] : ['status' => 'failed', 'reason' => $reason];
    $flags = JSON_THROW_ON_ERROR | JSON_UNESCAPED_UNICODE | JSON_INVALID_UTF8_SUBSTITUTE;
    echo json_encode(['name' => $case['name']] + $result, $flags), "\n";
}
