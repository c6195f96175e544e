<?php

declare(strict_types=1);

namespace Byond\Test;

/**
 * Whether a member of a class has a comment, or needs none.
 *
 * @param \ReflectionClass<object> $class
 */
function isDocumented(
    \ReflectionClass $class,
    \ReflectionProperty|\ReflectionMethod|\ReflectionClassConstant $member,
): bool {
    if ($member->getDeclaringClass()->getName() !== $class->getName() || $member->getDocComment() !== false) {
        return true;
    }
    // Those that a constructor declares are documented there.
    $ofConstructor = (string) $class->getConstructor()?->getDocComment();
    if ($member instanceof \ReflectionProperty && $member->isPromoted()) {
        return str_contains($ofConstructor, "\${$member->getName()} ")
            // The parts of HTTP need no more words than their names.
            || str_starts_with($class->getNamespaceName(), 'Byond\Http');
    }
    // An implementation is documented by its interface.
    return $member instanceof \ReflectionMethod && ($member->isConstructor() || $member->hasPrototype());
}
