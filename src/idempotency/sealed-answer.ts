import { createHmac } from "node:crypto";
import {
  type DescMessage,
  type DescMethodUnary,
  fromBinary,
  type JsonValue,
  type Message,
  toBinary,
  toJson,
} from "@bufbuild/protobuf";
import { type Keyring, seal, unseal } from "../crypto/keyring.ts";
import { AppError, type ErrorDetails, errorKinds } from "../errors.ts";
import type { IdempotencySlot } from "./answer-store.ts";

/** How a call ended: with a message, or with an error that a repetition would get too. */
export type Answer =
  | { readonly kind: "message"; readonly message: Message }
  | { readonly kind: "error"; readonly error: AppError };

/** What is sealed. The message is in its binary form; a replay encodes it for the protocol of its call. */
type Stored =
  | { readonly message: string }
  | { readonly error: Pick<AppError, "code" | "message"> & { readonly details: Omit<ErrorDetails, "cause"> } };

/** Whether a repetition would get the same error. The others mean "not now" or "not you": a repetition is carried out. */
export function isFinal(error: unknown): error is AppError {
  return error instanceof AppError && [404, 422].includes(errorKinds[error.code].httpStatus);
}

/** Encrypts an answer. It opens in its own slot only. */
export function sealAnswer(keyring: Keyring, slot: IdempotencySlot, schema: DescMessage, answer: Answer): Buffer {
  return seal(keyring, "idempotency-answer", contextOf(slot), JSON.stringify(encode(schema, answer)));
}

function encode(schema: DescMessage, answer: Answer): Stored {
  if (answer.kind === "message") {
    return { message: Buffer.from(toBinary(schema, answer.message)).toString("base64") };
  }
  const { code, message, details } = answer.error;
  const { cause: _, ...told } = details;
  return { error: { code, message, details: told } };
}

/** Opens a sealed answer. Undefined if the master secret that it was sealed with is gone. */
export function openAnswer(
  keyring: Keyring,
  slot: IdempotencySlot,
  schema: DescMessage,
  sealed: Buffer,
): Answer | undefined {
  const text = unseal(keyring, "idempotency-answer", contextOf(slot), sealed);
  if (text === undefined) {
    return undefined;
  }
  const stored: Stored = JSON.parse(text);
  return "message" in stored
    ? { kind: "message", message: fromBinary(schema, Buffer.from(stored.message, "base64")) }
    : { kind: "error", error: new AppError(stored.error.code, stored.error.message, stored.error.details) };
}

function contextOf({ workspaceId, realm, key }: IdempotencySlot): string {
  return `${workspaceId}/${realm}/${key}`;
}

/** JSON with the members of every object sorted: clients may send the entries of a map in any order. */
function canonicalJson(value: JsonValue): string {
  return JSON.stringify(value, (_key, member: JsonValue) =>
    typeof member === "object" && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}

/**
 * Fingerprints of a request, which tell it from others and disclose nothing about it: keyed hashes of the slot, the RPC and its
 * message, one for each master secret, the current one first. The slot is included because messages may hold passwords: a reader
 * of the database must not see that two accounts have the same password, nor test guesses with calls of an account of their own.
 */
export function fingerprintsOf(
  keyring: Keyring,
  slot: IdempotencySlot,
  method: DescMethodUnary,
  message: Message,
): string[] {
  const text = canonicalJson(toJson(method.input, message));
  return keyring.all.map((secret) => {
    const hash = createHmac("sha256", secret.subkey("idempotency-fingerprint"));
    hash.update(`${contextOf(slot)}\0${method.parent.typeName}/${method.name}\0`).update(text);
    return `${secret.id}:${hash.digest("base64url")}`;
  });
}
