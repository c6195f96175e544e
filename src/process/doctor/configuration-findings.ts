import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { isIP } from "node:net";
import type { Capability, StartNotice } from "../../capability.ts";
import { ConfigError } from "../../config/config-error.ts";
import type { Finding } from "../../finding.ts";
import type { TracingSettings } from "../../observe/tracing-settings.ts";
import { checkWebAddress } from "../../outgoing/check-connection.ts";
import { type CertificateFiles, readCertificate } from "../../server/certificate.ts";
import { authorities, type ServerConfig } from "../server-config.ts";
import { startNotices } from "../start-report.ts";

const about = "configuration";

/** A configuration that cannot be read. */
export function problemFindings(problems: readonly string[]): Finding[] {
  return problems.map((found) => ({ about, verdict: "fault", found }));
}

/** What the log of a start would warn of, the certificates, and the collector of traces. `environment`: the process's own, which Node reads. */
export async function configurationFindings(
  config: ServerConfig,
  capabilities: readonly Capability[],
  environment: Readonly<Record<string, string | undefined>>,
  now: Date,
): Promise<Finding[]> {
  const warnings = startNotices(config, capabilities).filter(({ level }) => level === "warn");
  const read: Finding = { about, verdict: "ok", found: `every setting can be read${filesOf(config)}` };
  const tls = config.tls === undefined ? [] : await certificateFindings(config.tls, config.publicUrl, now);
  return [
    read,
    ...warnings.map(noticeFinding),
    ...tls,
    ...(await authorityFindings(environment[authorities])),
    ...(config.tracing === undefined ? [] : [await collectorFinding(config.tracing)]),
  ];
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
    advice:
      event === "secret_files_world_readable"
        ? `Run chmod 600 ${settings.map((name) => `"$${name}"`).join(" ")}, or see "Secrets in files" in docs/guides/operations.md`
        : `See ${event} in docs/guides/operations.md, "Log events"`,
  };
}

/** The server serves without it. */
async function collectorFinding({ url, tls }: TracingSettings): Promise<Finding> {
  const finding = await checkWebAddress(url, tls);
  return { about: "traces", ...finding, verdict: finding.verdict === "ok" ? "ok" : "warning" };
}

const dayMs = 86_400_000;
/** Certificates of Let's Encrypt are renewed thirty days before their end. */
const soonDays = 14;

async function certificateFindings(
  files: CertificateFiles,
  publicUrl: string | undefined,
  now: Date,
): Promise<Finding[]> {
  const about = "TLS certificate";
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate((await readCertificate(files)).cert);
  } catch (error) {
    if (error instanceof ConfigError) {
      // What OpenSSL adds says nothing to the operator.
      const found = error.problems.map((problem) => problem.replace(/: error:\w+:.*$/s, "")).join("; ");
      return [{ about, verdict: "fault", found, advice: "Correct the files that TLS_CERT and TLS_KEY name" }];
    }
    throw error;
  }
  return [validityFinding(about, certificate, now), ...nameFindings(about, certificate, publicUrl)];
}

/** Clients compare the name, and not the subject's, which none reads any more. */
function nameFindings(about: string, certificate: X509Certificate, publicUrl: string | undefined): Finding[] {
  const { protocol, hostname } = new URL(publicUrl ?? "http://localhost");
  const host = hostname.replace(/^\[|\]$/g, "");
  const isOfHost = isIP(host) === 0 ? certificate.checkHost(host, { subject: "never" }) : certificate.checkIP(host);
  return protocol !== "https:" || isOfHost !== undefined
    ? []
    : [
        {
          about,
          verdict: "warning",
          found: `it is not of ${host}, the host of PUBLIC_URL`,
          advice: "Use one that is, unless a proxy in front of the server has it",
        },
      ];
}

function validityFinding(about: string, certificate: X509Certificate, now: Date): Finding {
  const { subjectAltName, validFromDate, validToDate: ends } = certificate;
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
