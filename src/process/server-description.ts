import { createHmac } from "node:crypto";
import { hostname } from "node:os";
import { pid } from "node:process";
import type { Capability } from "../capability.ts";
import type { Keyring } from "../crypto/keyring.ts";
import type { LogFields } from "../observe/log.ts";
import type { ServerConfig } from "./server-config.ts";
import { describedFields, version } from "./start-report.ts";

/** What a server tells the operator of itself, in its row of the table `server`: for `byond servers`. It holds no secret. */
export interface ServerDescription {
  readonly version: string;
  readonly host: string;
  readonly pid: number;
  readonly startedAt: string;
  /** Of the capabilities, as the log of the start has them: the provider of each channel, and so on. */
  readonly fields: LogFields;
  /** By the id of each master secret: the settings that are set, each with a fingerprint. Those under one secret can be compared. */
  readonly settings: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export function describeServer(
  config: ServerConfig,
  capabilities: readonly Capability[],
  { all }: Keyring,
): ServerDescription {
  return {
    version,
    host: hostname(),
    pid,
    startedAt: new Date().toISOString(),
    fields: describedFields(config, capabilities),
    settings: Object.fromEntries(
      all.map((secret) => [secret.id, fingerprintsOf(config.commonSettings, secret.subkey("setting-fingerprint"))]),
    ),
  };
}

/** So short that no value can be found by trying, even if the key is known. Two settings are the same by chance once in 16 million times. */
const fingerprintDigits = 6;

function fingerprintsOf(settings: Readonly<Record<string, string>>, key: Buffer): Record<string, string> {
  return Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [
      name,
      createHmac("sha256", key).update(`${name}=${value}`).digest("hex").slice(0, fingerprintDigits),
    ]),
  );
}
