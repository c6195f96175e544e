<?php

declare(strict_types=1);

namespace Byond\Http;

use Byond\ByondException;
use Byond\Deadline;

/**
 * A connection whose answer is read as it arrives. It is closed when nobody holds it any more.
 *
 * @internal
 */
final class CurlStream
{
    private readonly \CurlMultiHandle $multi;

    private readonly \CurlHandle $handle;

    private readonly CurlHeaders $headers;

    /** Holds what has arrived and was not read. Not in `$this`, which curl would then keep alive. */
    private readonly \stdClass $received;

    /** Null while the connection lives. Then its result: a `CURLE_…`. */
    private ?int $result = null;

    public function __construct(Request $request)
    {
        $this->headers = new CurlHeaders();
        $this->received = $received = (object) ['text' => ''];
        $this->handle = curl_init();
        curl_setopt_array($this->handle, CurlOptions::of($request, $this->headers) + [
            CURLOPT_WRITEFUNCTION => static function (\CurlHandle $handle, string $bytes) use ($received): int {
                $received->text .= $bytes;
                return strlen($bytes);
            },
        ]);
        $this->multi = curl_multi_init();
        curl_multi_add_handle($this->multi, $this->handle);
    }

    public function __destruct()
    {
        curl_multi_remove_handle($this->multi, $this->handle);
        curl_multi_close($this->multi);
    }

    public function open(float $timeout, float $silence): StreamedResponse
    {
        $deadline = new Deadline($timeout);
        while (!$this->headers->areComplete && $this->advance($deadline)) {
        }
        if (!$this->headers->areComplete) {
            throw $this->result === null ? ByondException::timedOut($timeout) : $this->failure();
        }
        return new StreamedResponse($this->headers->status, $this->headers->headers, $this->chunks($silence));
    }

    /** @return \Generator<int, string> */
    private function chunks(float $silence): \Generator
    {
        while (true) {
            $deadline = new Deadline($silence);
            while ($this->received->text === '' && $this->advance($deadline)) {
            }
            if ($this->received->text !== '') {
                $text = $this->received->text;
                $this->received->text = '';
                // The time that the reader takes is not the connection's silence.
                yield $text;
            } elseif ($this->result === CURLE_OK) {
                return;
            } else {
                throw $this->result === null
                    ? ByondException::connectionFailed("nothing came for $silence seconds")
                    : $this->failure();
            }
        }
    }

    /** Lets curl work, or wait for something to do. False when the connection has ended or the deadline has passed. */
    private function advance(Deadline $deadline): bool
    {
        if ($this->result !== null || $deadline->hasPassed()) {
            return false;
        }
        curl_multi_exec($this->multi, $running);
        $done = curl_multi_info_read($this->multi);
        if ($done !== false) {
            $this->result = $done['result'];
        } elseif ($this->received->text === '' && $running > 0) {
            // -1: curl has no socket yet, or a signal came.
            if (curl_multi_select($this->multi, max(0.001, $deadline->remaining())) === -1) {
                usleep(1000);
            }
        }
        return true;
    }

    private function failure(): ByondException
    {
        $text = curl_error($this->handle);
        return ByondException::connectionFailed($text !== '' ? $text : (string) curl_strerror((int) $this->result));
    }
}
