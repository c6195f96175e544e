import type { Finding } from "../../finding.ts";
import { clockToleranceMs } from "../../revocation/revocation.policy.ts";
import type { LiveServer } from "./live-servers.ts";

/** What the servers that run should have in common, and do not. */
export function differenceFindings(servers: readonly LiveServer[]): Finding[] {
  return [...versionFindings(servers), ...clockFindings(servers), ...settingFindings(servers)];
}

function versionFindings(servers: readonly LiveServer[]): Finding[] {
  const about = "versions";
  const byVersion = Map.groupBy(servers, ({ description }) => description?.version ?? "an earlier one");
  return byVersion.size === 1
    ? []
    : [{ about, verdict: "warning", found: `they differ: ${groups(byVersion)}`, advice: "Finish the upgrade" }];
}

function clockFindings(servers: readonly LiveServer[]): Finding[] {
  return servers
    .filter(({ clockOffsetMs }) => Math.abs(clockOffsetMs ?? 0) > clockToleranceMs)
    .map(({ id, clockOffsetMs }) => ({
      about: "clocks",
      verdict: "warning",
      found: `PostgreSQL's clock is ${Math.round(Math.abs(clockOffsetMs ?? 0) / 1_000)} seconds ${(clockOffsetMs ?? 0) > 0 ? "ahead of" : "behind"} that of ${id}`,
      advice: "Run NTP on both machines",
    }));
}

/** Fingerprints can be compared under a secret that all have. */
function settingFindings(servers: readonly LiveServer[]): Finding[] {
  const about = "settings";
  const described = servers.flatMap(({ id, description }) => (description === null ? [] : [{ id, ...description }]));
  const [first] = described;
  const common = Object.keys(first?.settings ?? {}).find((secret) =>
    described.every(({ settings }) => settings[secret] !== undefined),
  );
  if (common === undefined) {
    const found = "they cannot be compared, since no secret is on all servers";
    return described.length === 0 ? [] : [{ about, verdict: "warning", found }];
  }
  const names = [...new Set(described.flatMap(({ settings }) => Object.keys(settings[common] ?? {})))].sort();
  return names.flatMap((name): Finding[] => {
    const byValue = Map.groupBy(described, ({ settings }) => settings[common]?.[name] ?? "");
    if (byValue.size === 1) {
      return [];
    }
    const named = new Map([...byValue].map(([print, group]) => [print === "" ? "unset" : `set (${print})`, group]));
    return [
      {
        about,
        verdict: "warning",
        found: `${name} differs: ${groups(named)}`,
        advice: "Give every server the same, and restart those that had another",
      },
    ];
  });
}

function groups(byValue: ReadonlyMap<string, readonly { readonly id: string }[]>): string {
  return [...byValue].map(([value, group]) => `${value} on ${group.map(({ id }) => id).join(", ")}`).join("; ");
}
