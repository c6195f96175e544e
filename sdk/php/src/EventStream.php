<?php

declare(strict_types=1);

namespace Byond;

/**
 * A stream. It is opened when somebody begins to read, and goes on where it was when its connection is lost: each
 * result comes once. It ends when you leave the loop, or with an error that repeating does not mend.
 *
 *     foreach ($byond->events->stream(after: $lastSeen) as $event) {
 *         handle($event);
 *     }
 *
 * @template T of Result
 * @implements \IteratorAggregate<int, T>
 */
final class EventStream implements \IteratorAggregate
{
    private ?string $resumeAfter = null;

    /**
     * @internal
     * @param \Closure(?string): iterable<ServerSentEvent> $open Opens a connection that begins after a position; null:
     *     where the caller said.
     * @param \Closure(\stdClass): T $read
     * @param int $maxRetries How often in a row connecting may fail.
     */
    public function __construct(
        private readonly \Closure $open,
        private readonly \Closure $read,
        private readonly int $maxRetries,
    ) {
    }

    /**
     * Where to go on after what was read so far, also in another process: the parameter `after`. Null before anything
     * was read.
     */
    public function resumeAfter(): ?string
    {
        return $this->resumeAfter;
    }

    /**
     * @return \Generator<int, T>
     * @throws ByondException
     */
    public function getIterator(): \Generator
    {
        $failures = 0;
        while (true) {
            try {
                foreach (($this->open)($this->resumeAfter) as $event) {
                    $failures = 0;
                    $result = self::resultOf($event);
                    // Before the result is handed out: whoever handles it may ask where to go on.
                    $this->resumeAfter = $event->id ?? $this->resumeAfter;
                    if ($result !== null) {
                        yield ($this->read)($result);
                    }
                }
                $error = ByondException::connectionFailed('the server ended the stream');
            } catch (ByondException $caught) {
                $error = $caught;
            }
            if ($failures >= $this->maxRetries || !self::canGoOn($error)) {
                throw $error;
            }
            Retry::sleep(Retry::pause($error, $failures));
            $failures++;
        }
    }

    private static function resultOf(ServerSentEvent $event): ?\stdClass
    {
        if ($event->data === null) {
            return null;
        }
        $json = json_decode($event->data);
        if (json_last_error() !== JSON_ERROR_NONE) {
            throw new ByondException('An event of the stream is not JSON.', ErrorCode::INVALID_RESPONSE);
        }
        if ($event->event === 'error') {
            throw ByondException::fromJson($json->error ?? null)
                ?? ByondException::connectionFailed('the server ended the stream with an error');
        }
        return $json instanceof \stdClass ? $json : null;
    }

    /** Whether another connection may do what this one did not. One that could not be opened in time says nothing. */
    private static function canGoOn(ByondException $error): bool
    {
        return $error->errorCode === ErrorCode::TIMED_OUT || Retry::isWorthRetrying($error, true);
    }
}
