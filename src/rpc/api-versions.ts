import { type DescMessage, type DescMethodUnary, isMessage, type Message, type MessageShape } from "@bufbuild/protobuf";
import { createContextKey, type Interceptor } from "@connectrpc/connect";
import { AppError } from "../errors.ts";

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

/** A version of the API that clients can name in `Byond-Version`. */
export interface ApiVersion {
  /** The day it was released. */
  readonly version: string;
  /** When it stops being served: 12 months or more after a newer one. Undefined: it is not deprecated. */
  readonly sunset?: Date;
  /** What it changed. A request that names an older version gets what was before, by undoing it. */
  readonly changes: readonly MessageChange[];
}

/** What every answer names, unless the request named another. */
export const currentApiVersion = "2026-06-15";

/** Every version, the oldest first. The last one is what a request without the header gets. */
export const apiVersions: readonly ApiVersion[] = [{ version: currentApiVersion, changes: [] }];

/** Set by the gate. */
export const apiVersionKey = createContextKey<string | undefined>(undefined, { description: "API version" });

/** The version that a request names, or the current one. Throws `unknown_version`. */
export function resolveApiVersion(versions: readonly ApiVersion[], headers: Headers): ApiVersion {
  const named = headers.get("byond-version");
  const version = named === null ? versions.at(-1) : versions.find((candidate) => candidate.version === named);
  if (version === undefined) {
    const known = versions.map((candidate) => candidate.version).join(", ");
    throw new AppError(
      "unknown_version",
      `This server does not know the version of the Byond-Version header. Known: ${known}.`,
    );
  }
  return version;
}

/** What a response says of the version that it was made by. `Sunset` is RFC 8594's. */
export function apiVersionHeaders({ version, sunset }: ApiVersion): Record<string, string> {
  return {
    "Byond-Version": version,
    ...(sunset === undefined ? {} : { "Byond-Version-Deprecated": "yes", Sunset: sunset.toUTCString() }),
  };
}

/**
 * Serves older versions: brings their requests up to the current one, change by change, and its answers back down. The
 * implementation knows the current version only, and so does everything inside of this: validation, and idempotency, which
 * keeps answers of the current version.
 */
export function createApiVersionInterceptor(versions: readonly ApiVersion[]): Interceptor {
  const current = versions.at(-1)?.version;
  return (next) => async (request) => {
    const named = request.contextValues.get(apiVersionKey) ?? current;
    if (named === current || request.stream) {
      return next(request);
    }
    const newer = versions.slice(versions.findIndex(({ version }) => version === named) + 1);
    const changes = newer.flatMap((version) => version.changes).filter((change) => change.method === request.method);
    for (const change of changes) {
      change.upgradeRequest(request.message);
    }
    const response = await next(request);
    if (!response.stream) {
      for (const change of changes.toReversed()) {
        change.downgradeResponse(response.message);
      }
    }
    return response;
  };
}
