import { X509Certificate } from "node:crypto";
import type { Capability, StartNotice } from "../../capability.ts";
import { ConfigError } from "../../config/config-error.ts";
import type { Finding } from "../../finding.ts";
import { type CertificateFiles, readCertificate } from "../../server/certificate.ts";
import type { ServerConfig } from "../server-config.ts";
import { startNotices } from "../start-report.ts";

const about = "configuration";

/** A configuration that cannot be read. */
export function problemFindings(problems: readonly string[]): Finding[] {
  return problems.map((found) => ({ about, verdict: "fault", found }));
}

/** What the log of a start would warn of, and the certificate. */
export async function configurationFindings(
  config: ServerConfig,
  capabilities: readonly Capability[],
  now: Date,
): Promise<Finding[]> {
  const warnings = startNotices(config, capabilities).filter(({ level }) => level === "warn");
  const read: Finding = { about, verdict: "ok", found: `every setting can be read${fileOf(config)}` };
  const tls = config.tls === undefined ? [] : [await certificateFinding(config.tls, now)];
  return [read, ...warnings.map(noticeFinding), ...tls];
}

function fileOf({ envFile }: ServerConfig): string {
  return envFile === undefined || envFile.settings.length === 0 ? "" : `; from .env: ${envFile.settings.join(", ")}`;
}

function noticeFinding({ event, settings }: StartNotice): Finding {
  return {
    about,
    verdict: "warning",
    found: `${event}: ${settings.join(", ")}`,
    advice: `See ${event} in docs/guides/operations.md, "Log events"`,
  };
}

const dayMs = 86_400_000;
/** Certificates of Let's Encrypt are renewed thirty days before their end. */
const soonDays = 14;

async function certificateFinding(files: CertificateFiles, now: Date): Promise<Finding> {
  const about = "TLS certificate";
  let cert: Buffer;
  try {
    ({ cert } = await readCertificate(files));
  } catch (error) {
    if (error instanceof ConfigError) {
      return { about, verdict: "fault", found: error.problems.join("; ") };
    }
    throw error;
  }
  const { subjectAltName, validTo } = new X509Certificate(cert);
  const ends = new Date(validTo);
  const daysLeft = Math.floor((ends.getTime() - now.getTime()) / dayMs);
  const found = `of ${subjectAltName ?? "no name"}, valid until ${ends.toISOString().slice(0, 10)}`;
  const advice = "Renew it";
  if (daysLeft < 0) {
    return { about, verdict: "fault", found: `${found}: it has expired`, advice };
  }
  return daysLeft < soonDays
    ? { about, verdict: "warning", found: `${found}: ${daysLeft} days are left`, advice }
    : { about, verdict: "ok", found };
}
