import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from "node:crypto";

/** What a subkey is for. No key is used for two purposes. */
export type Purpose =
  | "verification-code"
  | "fixed-code"
  | "recipient-index"
  | "exact-recipient-index"
  | "recipient-seal"
  | "end-user-seal"
  | "device-index"
  | "approval-index"
  | "approval-seal"
  | "lookup-seal"
  | "session-token"
  | "refresh-token"
  | "sign-in-source"
  | "account-address"
  | "idempotency-fingerprint"
  | "idempotency-answer"
  | "webhook-secret"
  | "webhook-body"
  | "guard-hook-secret"
  | "setting-fingerprint";

/** One of the secrets that the server was started with. */
export interface MasterSecret {
  /** Names the secret in stored rows without revealing it. Eight hexadecimal digits. */
  readonly id: string;
  /** The 32-byte key of a purpose (HKDF-SHA256, RFC 5869). */
  subkey(purpose: Purpose): Buffer;
}

/** The master secrets. The current one seals new rows, the others only open old ones. */
export interface Keyring {
  readonly current: MasterSecret;
  readonly all: readonly MasterSecret[];
  find(id: string): MasterSecret | undefined;
}

/** Builds the keyring of `BYOND_SECRET`, the current secret first. Throws if there is none. */
export function createKeyring(secrets: readonly string[]): Keyring {
  const all = secrets.map(createMasterSecret);
  const [current] = all;
  if (current === undefined) {
    throw new RangeError("a keyring needs at least one secret");
  }
  const byId = new Map(all.map((secret) => [secret.id, secret]));
  return { current, all, find: (id) => byId.get(id) };
}

function createMasterSecret(secret: string): MasterSecret {
  const derive = (info: string) => Buffer.from(hkdfSync("sha256", secret, "byond", info, 32));
  const subkeys = new Map<Purpose, Buffer>();
  return {
    id: createHash("sha256").update(derive("id")).digest("hex").slice(0, 8),
    subkey(purpose) {
      let key = subkeys.get(purpose);
      if (key === undefined) {
        key = derive(purpose);
        subkeys.set(purpose, key);
      }
      return key;
    },
  };
}

const idBytes = 4;
const nonceBytes = 12;
const tagBytes = 16;
/** Without it, a truncated value would be accepted with the rest of its tag: four bytes can be guessed. */
const gcmOptions = { authTagLength: tagBytes };

/** Node makes a key object of a buffer at each use, which takes twice as long as sealing a short text. A subkey must not be changed in place. */
const cipherKeys = new WeakMap<Buffer, KeyObject>();

function cipherKeyOf(subkey: Buffer): KeyObject {
  let key = cipherKeys.get(subkey);
  if (key === undefined) {
    key = createSecretKey(subkey);
    cipherKeys.set(subkey, key);
  }
  return key;
}

/**
 * Encrypts text with AES-256-GCM under the current secret. Only the same `context` opens it, so that a sealed value cannot be
 * moved to another row.
 */
export function seal(keyring: Keyring, purpose: Purpose, context: string, text: string): Buffer {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv("aes-256-gcm", cipherKeyOf(keyring.current.subkey(purpose)), nonce, gcmOptions);
  cipher.setAAD(Buffer.from(context));
  const sealed = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
  return Buffer.concat([Buffer.from(keyring.current.id, "hex"), nonce, cipher.getAuthTag(), sealed]);
}

/**
 * Decrypts what `seal` returned, with the secret that it was sealed with. Undefined if that secret is not in the keyring;
 * throws if the value or its context was changed.
 */
export function unseal(keyring: Keyring, purpose: Purpose, context: string, sealed: Buffer): string | undefined {
  const secret = keyring.find(sealed.subarray(0, idBytes).toString("hex"));
  if (secret === undefined) {
    return undefined;
  }
  const nonceEnd = idBytes + nonceBytes;
  const nonce = sealed.subarray(idBytes, nonceEnd);
  const decipher = createDecipheriv("aes-256-gcm", cipherKeyOf(secret.subkey(purpose)), nonce, gcmOptions);
  decipher.setAAD(Buffer.from(context));
  decipher.setAuthTag(sealed.subarray(nonceEnd, nonceEnd + tagBytes));
  const text = Buffer.concat([decipher.update(sealed.subarray(nonceEnd + tagBytes)), decipher.final()]);
  return text.toString("utf8");
}
