<?php

/** Prints what is wrong with the classes of the SDK: they must load, and whatever is public must be documented. */

declare(strict_types=1);

namespace Byond\Test;

require __DIR__ . '/../autoload.php';
require __DIR__ . '/documented.php';

foreach (['src', 'generated'] as $folder) {
    $root = dirname(__DIR__) . "/$folder";
    foreach (new \RecursiveIteratorIterator(new \RecursiveDirectoryIterator($root)) as $path => $file) {
        if ($file->getExtension() !== 'php') {
            continue;
        }
        $source = (string) file_get_contents($path);
        if (preg_match('/\breadonly\s+(?:final\s+|abstract\s+)?class\b|\bconst\s+\??\w+\s+\w+\s*=/', $source) === 1) {
            echo "$path: needs a newer PHP than 8.1\n";
        }
        $name = 'Byond' . str_replace('/', '\\', substr($path, strlen($root), -strlen('.php')));
        if (!class_exists($name) && !interface_exists($name)) {
            echo "$path: has no $name\n";
            continue;
        }
        $class = new \ReflectionClass($name);
        $doc = $class->getDocComment();
        if ($doc === false) {
            echo "$name is not documented\n";
        } elseif (str_contains($doc, '@internal')) {
            continue;
        }
        $members = [
            ...$class->getReflectionConstants(\ReflectionClassConstant::IS_PUBLIC),
            ...$class->getProperties(\ReflectionProperty::IS_PUBLIC),
            ...$class->getMethods(\ReflectionMethod::IS_PUBLIC),
        ];
        foreach ($members as $member) {
            if (!isDocumented($class, $member)) {
                echo "$name::{$member->getName()} is not documented\n";
            }
        }
    }
}
