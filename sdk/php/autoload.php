<?php

/** Loads the classes of the SDK where Composer is not used: `require 'byond-sdk/autoload.php';`. */

declare(strict_types=1);

spl_autoload_register(static function (string $class): void {
    if (!str_starts_with($class, 'Byond\\')) {
        return;
    }
    $path = str_replace('\\', '/', substr($class, strlen('Byond\\'))) . '.php';
    foreach (['src', 'generated'] as $folder) {
        if (is_file(__DIR__ . "/$folder/$path")) {
            require __DIR__ . "/$folder/$path";
            return;
        }
    }
});
