<?php

declare(strict_types=1);

namespace Byond;

/** What the API answered. Its JSON has everything, also the fields of newer servers that the class does not know. */
abstract class Result implements \JsonSerializable
{
    public function __construct(private readonly \stdClass $json)
    {
    }

    /** The JSON of the API, in its own names. */
    public function jsonSerialize(): \stdClass
    {
        return $this->json;
    }
}
