import {
  type DescMessage,
  type DescMethod,
  type DescMethodUnary,
  isMessage,
  type Message,
  type MessageShape,
} from "@bufbuild/protobuf";
import { createContextKey, type Interceptor, type UnaryRequest } from "@connectrpc/connect";
import { AppError } from "../errors.ts";

/**
 * What a version changes in one RPC. The schema only grows (`buf breaking` checks it), so a change is one of meaning: a
 * default, a value that older clients do not know, a field that replaces another.
 */
export interface MessageChange {
  readonly method: DescMethodUnary;
  /** Converts a request from the previous version to this one. */
  readonly upgradeRequest: (message: Message) => void;
  /** Converts an answer of this version to the previous one. */
  readonly downgradeResponse: (message: Message) => void;
}

/** Builds a change with the message types of its RPC. */
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
  /** Its release date. */
  readonly version: string;
  /** When it stops being served, at least 12 months after a newer one was released. Undefined: it is not deprecated. */
  readonly sunset?: Date;
  /** What it changes. For a request that names an older version, the changes are undone. */
  readonly changes: readonly MessageChange[];
}

/** The version of answers, unless the request names another. */
export const currentApiVersion = "2026-06-15";

/** All versions, the oldest first. A request without the header gets the last one. */
export const apiVersions: readonly ApiVersion[] = [{ version: currentApiVersion, changes: [] }];

/** Set by the chain's `requestGate`. */
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

/** The changes of an RPC after a version, the oldest first. None for a version that is not served any more: its answers are current ones. */
function changesAfter(versions: readonly ApiVersion[], version: string, method: DescMethod): readonly MessageChange[] {
  const index = versions.findIndex((candidate) => candidate.version === version);
  const newer = index < 0 ? [] : versions.slice(index + 1);
  return newer.flatMap(({ changes }) => changes).filter((change) => change.method === method);
}

/** Converts an answer of an RPC, in place, to what a version's clients know. */
export function downgradeAnswer(
  versions: readonly ApiVersion[],
  version: string,
  method: DescMethod,
  message: Message,
): void {
  for (const change of changesAfter(versions, version, method).toReversed()) {
    change.downgradeResponse(message);
  }
}

/** The headers that name the version of a response. `Sunset`: RFC 8594. */
export function apiVersionHeaders({ version, sunset }: ApiVersion): Record<string, string> {
  return {
    "Byond-Version": version,
    ...(sunset === undefined ? {} : { "Byond-Version-Deprecated": "yes", Sunset: sunset.toUTCString() }),
  };
}

/**
 * Serves older versions: upgrades their requests to the current version, change by change, and downgrades the answers. The
 * implementation and all inner interceptors only know the current version: validation, and idempotency, which stores answers of
 * that version.
 */
export function createApiVersionInterceptor(versions: readonly ApiVersion[]): Interceptor {
  const current = versions.at(-1)?.version;
  const converted = async (next: Parameters<Interceptor>[0], request: UnaryRequest, named: string) => {
    for (const change of changesAfter(versions, named, request.method)) {
      change.upgradeRequest(request.message);
    }
    const response = await next(request);
    if (!response.stream) {
      downgradeAnswer(versions, named, request.method, response.message);
    }
    return response;
  };
  return (next) => (request) => {
    const named = request.contextValues.get(apiVersionKey) ?? current;
    return named === current || request.stream ? next(request) : converted(next, request, named ?? "");
  };
}
