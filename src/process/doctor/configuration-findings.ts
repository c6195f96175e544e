import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { Capability, StartNotice } from "../../capability.ts";
import { ConfigError } from "../../config/config-error.ts";
import type { Finding } from "../../finding.ts";
import { type CertificateFiles, readCertificate } from "../../server/certificate.ts";
import { authorities, type ServerConfig } from "../server-config.ts";
import { startNotices } from "../start-report.ts";

const about = "configuration";

/** A configuration that cannot be read. */
export function problemFindings(problems: readonly string[]): Finding[] {
  return problems.map((found) => ({ about, verdict: "fault", found }));
}

/** What the log of a start would warn of, and the certificates. `environment`: the process's own, which Node reads. */
export async function configurationFindings(
  config: ServerConfig,
  capabilities: readonly Capability[],
  environment: Readonly<Record<string, string | undefined>>,
  now: Date,
): Promise<Finding[]> {
  const warnings = startNotices(config, capabilities).filter(({ level }) => level === "warn");
  const read: Finding = { about, verdict: "ok", found: `every setting can be read${filesOf(config)}` };
  const tls = config.tls === undefined ? [] : [await certificateFinding(config.tls, now)];
  return [read, ...warnings.map(noticeFinding), ...tls, ...(await authorityFindings(environment[authorities]))];
}

function filesOf({ envFile, settingFiles }: ServerConfig): string {
  const inFiles = Object.keys(settingFiles.variables);
  return [
    envFile === undefined || envFile.settings.length === 0 ? "" : `; from .env: ${envFile.settings.join(", ")}`,
    inFiles.length === 0 ? "" : `; from files of their own: ${inFiles.join(", ")}`,
  ].join("");
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
  let cert: string;
  try {
    ({ cert } = await readCertificate(files));
  } catch (error) {
    if (error instanceof ConfigError) {
      return { about, verdict: "fault", found: error.problems.join("; ") };
    }
    throw error;
  }
  const { subjectAltName, validFromDate, validToDate: ends } = new X509Certificate(cert);
  const daysLeft = Math.floor((ends.getTime() - now.getTime()) / dayMs);
  const found = `of ${subjectAltName ?? "no name"}, valid until ${ends.toISOString().slice(0, 10)}`;
  const advice = "Renew it";
  if (validFromDate > now) {
    return {
      about,
      verdict: "fault",
      found: `${found}: not before ${validFromDate.toISOString()}`,
      advice: "Correct the clock, or wait",
    };
  }
  if (ends <= now) {
    return { about, verdict: "fault", found: `${found}: it has expired`, advice };
  }
  return daysLeft < soonDays
    ? { about, verdict: "warning", found: `${found}: ${daysLeft} days are left`, advice }
    : { about, verdict: "ok", found };
}

/** Node goes on without a file that it cannot use, and without what follows the first certificate in it that is none. */
async function authorityFindings(path: string | undefined): Promise<Finding[]> {
  if (path === undefined || path === "") {
    return [];
  }
  try {
    const certificates = (await readFile(path, "utf8")).match(
      /-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----/gs,
    );
    for (const certificate of certificates ?? []) {
      new X509Certificate(certificate);
    }
    return certificates === null
      ? [unusable(`${path} holds no certificate in PEM`)]
      : [{ about: authorities, verdict: "ok", found: `certificates that are trusted as well: ${certificates.length}` }];
  } catch (error) {
    return [unusable(error instanceof Error ? error.message : String(error))];
  }
}

function unusable(found: string): Finding {
  return { about: authorities, verdict: "fault", found, advice: "Correct the file: Node goes on without it" };
}
