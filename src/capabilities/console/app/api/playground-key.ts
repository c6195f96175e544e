/**
 * The key that the playground and the lookup call the API with: start, check and lookup take keys, not sessions. A sandbox key of an
 * hour that is made when it is first needed, or one that somebody pastes. It stays in the memory of this tab; the one that was made is revoked when the
 * tab is left.
 */
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import { createClient } from "@connectrpc/connect";
import { useSyncExternalStore } from "react";
import { ApiKeyService, Mode } from "#gen/byond/v1/api_key_pb.ts";
import type { ModeName } from "./mode.ts";
import { serverUrl } from "./server-address.ts";
import { transports } from "./transport.ts";

export interface PlaygroundKey {
  readonly key: string;
  readonly mode: ModeName;
  /** Undefined: it was pasted. */
  readonly made: { readonly id: string; readonly expiresAt: Date } | undefined;
}

const lifetimeMs = 3_600_000;
/** A key that expires sooner is not used any more. */
const leastLeftMs = 60_000;

const keys = createClient(ApiKeyService, transports.test);
let current: PlaygroundKey | undefined;
let making: Promise<PlaygroundKey> | undefined;
/** Changes with the key: one that was asked for before is not wanted any more. */
let changes = 0;
const listeners = new Set<() => void>();

function change(next: PlaygroundKey | undefined): void {
  current = next;
  changes += 1;
  for (const listener of listeners) {
    listener();
  }
}

/** The key, made now if there is none that is good for another minute. */
export function playgroundKey(): Promise<PlaygroundKey> {
  const isUsable =
    current !== undefined && (current.made?.expiresAt.getTime() ?? Number.POSITIVE_INFINITY) > Date.now() + leastLeftMs;
  if (current !== undefined && isUsable) {
    return Promise.resolve(current);
  }
  making ??= makeKey().finally(() => {
    making = undefined;
  });
  return making;
}

async function makeKey(): Promise<PlaygroundKey> {
  const changesBefore = changes;
  const expiresAt = new Date(Date.now() + lifetimeMs);
  const { id, key } = await keys.createApiKey({
    name: "Console playground",
    mode: Mode.TEST,
    scopes: { scopes: ["*"] },
    expiresAt: timestampFromDate(new Date(Math.floor(expiresAt.getTime() / 1_000) * 1_000)),
  });
  if (changes !== changesBefore) {
    revoke(id);
    return current ?? makeKey();
  }
  const made: PlaygroundKey = { key, mode: "test", made: { id, expiresAt } };
  change(made);
  return made;
}

/** Uses a key that somebody pasted, until the tab is closed. */
export function replacePlaygroundKey(text: string): void {
  const key = text.trim();
  forgetPlaygroundKey();
  change({ key, mode: key.startsWith("pk_live_") ? "live" : "test", made: undefined });
}

/** Forgets the key. The next call makes another one. */
export function forgetPlaygroundKey(): void {
  const forgotten = current;
  change(undefined);
  if (forgotten?.made !== undefined) {
    revoke(forgotten.made.id);
  }
}

/** The key, if there is one. */
export function usePlaygroundKey(): PlaygroundKey | undefined {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => current,
  );
}

/** By a request that outlives the page. If it is lost, the key expires within the hour. */
function revoke(id: string): void {
  void fetch(`${serverUrl}/api/v1/api-keys/${id}`, {
    method: "DELETE",
    headers: { "Byond-Session": "cookie" },
    credentials: "same-origin",
    keepalive: true,
  }).catch(() => undefined);
}

addEventListener("pagehide", forgetPlaygroundKey);
