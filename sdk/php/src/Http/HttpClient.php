<?php

declare(strict_types=1);

namespace Byond\Http;

use Byond\ByondException;

/** What sends requests. It follows no redirections: they would carry the credential elsewhere. */
interface HttpClient
{
    /**
     * Sends a request, and reads the whole answer.
     *
     * @param float $timeout Seconds until the answer must be there.
     * @throws ByondException With `connection_failed` or `timed_out`.
     */
    public function send(Request $request, float $timeout): Response;

    /**
     * Sends a request, and returns when the headers of the answer are there.
     *
     * @param float $timeout Seconds until they must be there.
     * @param float $silence Seconds without a byte of the body after which the connection is dead.
     * @throws ByondException With `connection_failed` or `timed_out`.
     */
    public function open(Request $request, float $timeout, float $silence): StreamedResponse;
}
