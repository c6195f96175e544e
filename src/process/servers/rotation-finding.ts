import type { Finding } from "../../finding.ts";

/** A secret that servers have written with. */
export interface SecretUse {
  readonly id: string;
  readonly firstUsedAt: Date;
  readonly lastUsedAt: Date;
}

/** Whose secrets are told. */
export interface ServerSecrets {
  readonly id: string;
  /** The current one first. */
  readonly secretIds: readonly string[];
}

const about = "rotation";

/**
 * Which step of "Rotate the secret" in docs/guides/operations.md the servers are at, and what is next. `needsOf` tells what still needs a secret.
 */
export function rotationFinding(
  servers: readonly ServerSecrets[],
  uses: readonly SecretUse[],
  needsOf: (id: string) => readonly string[],
): Finding {
  const ids = [...new Set(servers.flatMap(({ secretIds }) => secretIds))];
  const [only = ""] = ids;
  if (ids.length < 2) {
    return { about, verdict: "ok", found: `every server has the secret ${only} alone: none is under way` };
  }
  const [one = "", other = ""] = ids;
  const [older, newer] = isNewer(one, other, uses) ? [other, one] : [one, other];
  const steps = [[older], [older, newer], [newer, older], [newer]].map((step) => step.join(","));
  const stepOf = ({ secretIds }: ServerSecrets) => steps.indexOf(secretIds.join(","));
  const reached = servers.map(stepOf);
  const [first, last] = [Math.min(...reached), Math.max(...reached)];
  if (ids.length > 2 || first === -1 || last - first > 1) {
    return {
      about,
      verdict: "fault",
      found: "the servers are not at neighbouring steps of one rotation",
      advice: 'Give every server the same BYOND_SECRET, as "Rotate the secret" in docs/guides/operations.md says',
    };
  }
  const to = steps[last] ?? "";
  if (first < last) {
    const behind = servers.filter((server) => stepOf(server) === first).map(({ id }) => id);
    return {
      about,
      verdict: "warning",
      found: `step ${last + 1} of 4, BYOND_SECRET=${to}, is not complete`,
      advice: `Restart with it: ${behind.join(", ")}`,
    };
  }
  return { about, verdict: "ok", found: `step ${last + 1} of 4, BYOND_SECRET=${to}, is complete`, advice: next() };

  function next(): string {
    if (last === 1) {
      return `A day after it was, set BYOND_SECRET=${steps[2]} on every server`;
    }
    const needs = needsOf(older);
    return needs.length === 0
      ? `Nothing needs ${older} any more: set BYOND_SECRET=${newer} on every server`
      : `Run byond reseal, then set BYOND_SECRET=${newer} on every server: ${needs.join("; ")}`;
  }
}

/** A secret that nothing was written with is the new one. `byond reseal` gives both the same beginning. */
function isNewer(one: string, other: string, uses: readonly SecretUse[]): boolean {
  const [use, otherUse] = [one, other].map((id) => uses.find((each) => each.id === id));
  if (use === undefined || otherUse === undefined) {
    return use === undefined;
  }
  const byFirst = use.firstUsedAt.getTime() - otherUse.firstUsedAt.getTime();
  return (byFirst === 0 ? use.lastUsedAt.getTime() - otherUse.lastUsedAt.getTime() : byFirst) > 0;
}
