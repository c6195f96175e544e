/** An asynchronous iterable of one item. */
export async function* single<T>(item: T): AsyncIterable<T> {
  yield item;
}
