/**
 * What is there already, or will be. Steps of a call that rarely wait return it: a promise costs more than most of them do, and a call
 * passes dozens.
 */
export type Awaitable<T> = T | Promise<T>;

/**
 * Goes on with a value when it is there: at once, if it is. What `next` throws at once is thrown, not rejected, so callers `await` the
 * result in a `try`, or do so in an asynchronous function:
 *
 *     return whenReady(findKey(prefix), (key) => key?.name);
 */
export function whenReady<T, U>(value: Awaitable<T>, next: (value: T) => Awaitable<U>): Awaitable<U> {
  return value instanceof Promise ? value.then(next) : next(value);
}
