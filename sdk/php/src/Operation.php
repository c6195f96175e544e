<?php

declare(strict_types=1);

namespace Byond;

/**
 * How a method of a service calls the API.
 *
 * @internal
 */
final class Operation
{
    /**
     * @param string $path With `{name}` for each path parameter.
     * @param bool $hasBody Whether the parameters are the body. Otherwise they are the query.
     * @param bool $isRepeatable Whether it can be sent again if nobody knows whether it was carried out.
     * @param string|null $itemsField If the result is a page: its member with the elements.
     * @param string|null $resumeParameter If the results are a stream: the parameter that resumes it.
     */
    public function __construct(
        public readonly string $method,
        public readonly string $path,
        public readonly bool $hasBody = false,
        public readonly bool $takesCredential = true,
        public readonly bool $hasSideEffects = false,
        public readonly bool $isRepeatable = false,
        public readonly ?string $itemsField = null,
        public readonly ?string $resumeParameter = null,
    ) {
    }
}
