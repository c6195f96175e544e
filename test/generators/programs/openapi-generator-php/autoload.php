<?php

declare(strict_types=1);

// Instead of Composer's, whose registry this needs not: Guzzle as Debian installs it (php-guzzlehttp-guzzle), and the classes that were generated.
require '/usr/share/php/GuzzleHttp/autoload.php';

spl_autoload_register(static function (string $class): void {
    if (str_starts_with($class, 'Byond\\')) {
        require __DIR__ . '/client/lib/' . str_replace('\\', '/', substr($class, strlen('Byond\\'))) . '.php';
    }
});
