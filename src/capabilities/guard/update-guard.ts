import { GuardChangesSchema, type UpdateGuardRequest } from "../../../gen/byond/v1/guard_pb.ts";
import type { Keyring } from "../../crypto/keyring.ts";
import { change, type Database } from "../../database/database.ts";
import { array, boolean, bytea, integer, nullable, statement, text } from "../../database/statement.ts";
import { problemOf } from "../../errors.ts";
import type { DestinationRules } from "../../outgoing/allowed-destination.ts";
import { customerUrlProblem } from "../../outgoing/customer-url.ts";
import { type HeldCredential, heldCredential, requireCredential } from "../../revocation/held-credential.ts";
import { namedChanges, updateMaskProblems } from "../../rpc/update-mask.ts";
import { isKnownRegion } from "../../text/numbering-plans.ts";
import { type GuardRow, type GuardView, guardColumns, guardView } from "./get-guard.ts";
import type { GuardMode } from "./guard-settings.ts";
import { createHookSecret, type HookFailure } from "./hook/guard-hook.ts";

/** New values. What is left out stays as it is. */
export interface GuardChanges {
  readonly mode?: GuardMode;
  readonly allowedCountries?: readonly string[];
  readonly blockedCountries?: readonly string[];
  /** 0: no limit. */
  readonly sendsPerHourPerCountry?: number;
  readonly sendsPerHourPerRange?: number;
  readonly refuseInvalidNumbers?: boolean;
  /** With the URL "": there is no hook any more. */
  readonly hook?: { readonly url: string; readonly onFailure: HookFailure };
}

/**
 * Each change is a new version: servers that judge sends by an earlier one find out in the statement of the send. A hook keeps its secret as long
 * as it has the same URL.
 */
const update = statement<GuardRow>("update_guard")(
  {
    workspaceId: text,
    mode: nullable(text),
    allowed: nullable(array(text)),
    blocked: nullable(array(text)),
    perCountry: nullable(integer),
    perRange: nullable(integer),
    refuseInvalid: nullable(boolean),
    hookUrl: nullable(text),
    hookOnFailure: nullable(text),
    hookSecretId: nullable(text),
    hookSecretSealed: nullable(bytea),
    credential: heldCredential,
  },
  (p) => `
    WITH changed AS (
      INSERT INTO guard_setting AS setting (
        workspace_id, version, mode, allowed_countries, blocked_countries, sends_per_hour_per_country,
        sends_per_hour_per_range, refuse_invalid_numbers, hook_url, hook_on_failure, hook_secret_id, hook_secret_sealed
      ) VALUES (
        ${p.workspaceId}, 1, ${p.mode}, coalesce(${p.allowed}, '{}'), coalesce(${p.blocked}, '{}'),
        nullif(${p.perCountry}, 0), nullif(${p.perRange}, 0), coalesce(${p.refuseInvalid}, false), nullif(${p.hookUrl}, ''),
        ${p.hookOnFailure}, ${p.hookSecretId}, ${p.hookSecretSealed}
      )
      ON CONFLICT (workspace_id) DO UPDATE SET
        version = setting.version + 1,
        mode = coalesce(${p.mode}, setting.mode),
        allowed_countries = coalesce(${p.allowed}, setting.allowed_countries),
        blocked_countries = coalesce(${p.blocked}, setting.blocked_countries),
        sends_per_hour_per_country = nullif(coalesce(${p.perCountry}, setting.sends_per_hour_per_country), 0),
        sends_per_hour_per_range = nullif(coalesce(${p.perRange}, setting.sends_per_hour_per_range), 0),
        refuse_invalid_numbers = coalesce(${p.refuseInvalid}, setting.refuse_invalid_numbers),
        hook_url = CASE WHEN ${p.hookUrl} IS NULL THEN setting.hook_url ELSE nullif(${p.hookUrl}, '') END,
        hook_on_failure = CASE WHEN ${p.hookUrl} IS NULL THEN setting.hook_on_failure ELSE ${p.hookOnFailure} END,
        hook_secret_id = CASE
          WHEN ${p.hookUrl} IS NULL OR setting.hook_url = ${p.hookUrl} THEN setting.hook_secret_id ELSE ${p.hookSecretId}
        END,
        hook_secret_sealed = CASE
          WHEN ${p.hookUrl} IS NULL OR setting.hook_url = ${p.hookUrl} THEN setting.hook_secret_sealed
          ELSE ${p.hookSecretSealed}
        END
      RETURNING ${guardColumns}
    )
    SELECT changed.*, ${requireCredential(p.credential, { after: [], effect: "changed" })} AS holds FROM changed`,
);

interface UpdateDependencies {
  readonly database: Pick<Database, "transaction">;
  readonly keyring: Keyring;
  readonly guardMode: GuardMode;
}

/** The settings after a change. */
interface UpdatedGuard extends GuardView {
  /** Of a hook that has a new one: the only moment at which it is known. */
  readonly hookSecret: string | undefined;
}

/**
 * Changes the settings of a workspace's guard: they hold for every send whose statement begins after the commit. Throws `invalid_api_key` if the
 * credential no longer holds.
 */
export async function updateGuard(
  { database, keyring, guardMode }: UpdateDependencies,
  { workspaceId }: { readonly workspaceId: string },
  changes: GuardChanges,
  credential: HeldCredential,
): Promise<UpdatedGuard> {
  const { hook } = changes;
  const created = hook === undefined || hook.url === "" ? undefined : createHookSecret(keyring, workspaceId);
  const [row] = await change(database, update, {
    workspaceId,
    mode: changes.mode ?? null,
    allowed: changes.allowedCountries ?? null,
    blocked: changes.blockedCountries ?? null,
    perCountry: changes.sendsPerHourPerCountry ?? null,
    perRange: changes.sendsPerHourPerRange ?? null,
    refuseInvalid: changes.refuseInvalidNumbers ?? null,
    hookUrl: hook?.url ?? null,
    hookOnFailure: created === undefined ? null : (hook?.onFailure ?? null),
    hookSecretId: created?.secretId ?? null,
    hookSecretSealed: created?.sealed ?? null,
    credential,
  });
  if (row === undefined) {
    throw new TypeError("an update of the guard answers one row");
  }
  const isNew = created !== undefined && row.hookSecretSealed?.equals(created.sealed) === true;
  return { ...guardView(row, guardMode), hookSecret: isNew ? created.secret : undefined };
}

/** The changes that a request names. */
export function changesOf(request: UpdateGuardRequest) {
  return namedChanges(updateOf(request));
}

/** Problems of the changes that the schema cannot express. */
export function guardChangesProblems(request: UpdateGuardRequest, rules: DestinationRules): Record<string, string> {
  const { allowedCountries, blockedCountries, hook } = request.guard ?? {};
  const hookUrl = hook?.url ?? "";
  return {
    ...updateMaskProblems(updateOf(request), "guard", {
      allowed_countries: "to send to all countries, write []",
      blocked_countries: "to block none, write []",
      sends_per_hour_per_country: "to remove the limit, write 0",
      sends_per_hour_per_range: "to remove the limit, write 0",
      hook: 'to remove it, write {"url": ""}',
    }),
    ...countryProblems("guard.allowed_countries", allowedCountries?.countries),
    ...problemOf("guard.hook.url", hookUrl === "" ? undefined : customerUrlProblem(hookUrl, rules)),
    ...countryProblems("guard.blocked_countries", blockedCountries?.countries),
  };
}

function countryProblems(field: string, countries: readonly string[] = []): Record<string, string> {
  return Object.fromEntries(
    countries.flatMap((country, index) =>
      !/^[A-Z]{2}$/.test(country) || isKnownRegion(country)
        ? []
        : [
            [
              `${field}[${index}]`,
              country === "UK"
                ? "must be GB for the United Kingdom"
                : "must be the code of a country that has phone numbers, such as SG",
            ],
          ],
    ),
  );
}

/** The hook is changed as a whole: over REST, the mask has its members. */
function updateOf({ guard, updateMask: mask }: UpdateGuardRequest) {
  const paths = mask && [...new Set(mask.paths.map((path) => (path.startsWith("hook.") ? "hook" : path)))];
  return { schema: GuardChangesSchema, changes: guard, mask: mask && paths && { ...mask, paths } };
}
