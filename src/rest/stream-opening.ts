import { createContextKey, type HandlerContext } from "@connectrpc/connect";

/** Whether a stream is open. Opened by the handler, once. */
export class StreamOpening {
  #isOpen = false;
  #onOpen: () => void = () => undefined;

  open(): void {
    if (!this.#isOpen) {
      this.#isOpen = true;
      this.#onOpen();
    }
  }

  /** Calls the function when the stream is opened, or now if it is open. */
  onOpen(listener: () => void): void {
    this.#onOpen = listener;
    if (this.#isOpen) {
      listener();
    }
  }
}

/** Set by the gateway for a call that streams. */
export const streamOpeningKey = createContextKey<StreamOpening | undefined>(undefined, {
  description: "opening of a stream",
});

/**
 * Called by the handler of a stream when it has accepted the request, and may have nothing to send for a while: over REST the status
 * and the headers are sent now. What it throws before is answered with the status of the error; what it throws afterwards is the last
 * line of the stream. A handler that does not call it opens its stream with the first message, or, if that does not come, when the
 * first heartbeat is due.
 *
 *     async *watchBooks({ parent }, context) {
 *       const shelf = await findShelf(parent); // throws NotFound: 404
 *       openStream(context);
 *       yield* shelf.changes(context.signal);
 *     }
 *
 * Over the other protocols it does nothing: their errors are not sent as a status.
 */
export function openStream({ values }: Pick<HandlerContext, "values">): void {
  values.get(streamOpeningKey)?.open();
}
