<?php

declare(strict_types=1);

require __DIR__ . '/autoload.php';

error_reporting(E_ALL);
set_error_handler(static function (int $level, string $message, string $file, int $line): never {
    throw new ErrorException($message, 0, $level, $file, $line);
});

$files = new RecursiveIteratorIterator(new RecursiveDirectoryIterator(__DIR__ . '/client/lib', FilesystemIterator::SKIP_DOTS));
foreach ($files as $file) {
    require_once $file->getPathname();
}
