/** A page of a list. */
export class Page<Item> {
  /** The elements of this page. */
  readonly items: readonly Item[];
  /** Pass it as `pageToken` to get the next page, now or later. Null on the last page. */
  readonly nextPageToken: string | null;
  readonly #load: (pageToken: string) => Promise<Page<Item>>;

  /** @internal */
  constructor(items: readonly Item[], nextPageToken: string | null, load: (pageToken: string) => Promise<Page<Item>>) {
    this.items = items;
    this.nextPageToken = nextPageToken;
    this.#load = load;
  }

  /** The next page. Undefined on the last one. */
  async nextPage(): Promise<Page<Item> | undefined> {
    return this.nextPageToken === null ? undefined : this.#load(this.nextPageToken);
  }
}

/**
 * A list. Await it for the first page, or go through the elements of all pages.
 *
 * @example
 * ```ts
 * for await (const verification of byond.verify.list({ status: "approved" })) {
 *   console.log(verification.verificationId);
 * }
 * ```
 */
export class PagePromise<Item> implements PromiseLike<Page<Item>>, AsyncIterable<Item> {
  readonly #load: () => Promise<Page<Item>>;
  #first: Promise<Page<Item>> | undefined;

  /** @internal */
  constructor(load: () => Promise<Page<Item>>) {
    this.#load = load;
  }

  // biome-ignore lint/suspicious/noThenProperty: awaiting a list gives its first page
  then<Result = Page<Item>, Failure = never>(
    onFulfilled?: ((page: Page<Item>) => Result | PromiseLike<Result>) | null,
    onRejected?: ((reason: unknown) => Failure | PromiseLike<Failure>) | null,
  ): Promise<Result | Failure> {
    this.#first ??= this.#load();
    return this.#first.then(onFulfilled, onRejected);
  }

  /** The elements of all pages, which are loaded as they are needed. */
  async *[Symbol.asyncIterator](): AsyncIterator<Item> {
    for (let page: Page<Item> | undefined = await this; page !== undefined; page = await page.nextPage()) {
      yield* page.items;
    }
  }
}
