import { type DescMessage, type DescMethodUnary, isMessage, type Message, type MessageShape } from "@bufbuild/protobuf";

/**
 * What a version changed of one RPC. The schema only ever grows (`buf breaking` sees to it), so that a change is one of
 * meaning: a default, a value that older clients do not know, a field that took over from another.
 */
export interface MessageChange {
  readonly method: DescMethodUnary;
  /** Makes a request that was written for the version before mean the same in this one. */
  readonly upgradeRequest: (message: Message) => void;
  /** Makes an answer of this version read as the one before would have written it. */
  readonly downgradeResponse: (message: Message) => void;
}

/** Binds a change to the messages of its RPC. */
export function messageChange<I extends DescMessage, O extends DescMessage>(
  method: DescMethodUnary<I, O>,
  change: {
    readonly upgradeRequest?: (message: MessageShape<I>) => void;
    readonly downgradeResponse?: (message: MessageShape<O>) => void;
  },
): MessageChange {
  return {
    method,
    upgradeRequest(message) {
      if (isMessage(message, method.input)) {
        change.upgradeRequest?.(message);
      }
    },
    downgradeResponse(message) {
      if (isMessage(message, method.output)) {
        change.downgradeResponse?.(message);
      }
    },
  };
}
