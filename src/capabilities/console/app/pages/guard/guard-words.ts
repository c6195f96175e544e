import { GuardHook_OnFailure, GuardMode, GuardReason } from "#gen/byond/v1/guard_pb.ts";

/** The modes of the guard: as a form names them, as a person reads them, and as the schema has them. */
export const guardModes = [
  ["enforce", "Refuse", GuardMode.ENFORCE],
  ["shadow", "Only count", GuardMode.SHADOW],
  ["off", "Off", GuardMode.OFF],
] as const;

/** What happens to a code if the hook does not answer. */
export const hookFailures = [
  ["allow", "Send the code", GuardHook_OnFailure.ALLOW],
  ["refuse", "Refuse it", GuardHook_OnFailure.REFUSE],
] as const;

const reasons: Partial<Readonly<Record<GuardReason, string>>> = {
  [GuardReason.PREMIUM_RATE]: "Premium-rate or satellite number",
  [GuardReason.SHARED_COST]: "Shared-cost or international freephone number",
  [GuardReason.INVALID_NUMBER]: "No number of its country’s plan",
  [GuardReason.COUNTRY_NOT_ALLOWED]: "Country not allowed",
  [GuardReason.RANGE_BLOCKED]: "Range blocked",
  [GuardReason.VETOED]: "Vetoed by your hook",
  [GuardReason.COUNTRY_LIMIT]: "Limit of the country",
  [GuardReason.RANGE_LIMIT]: "Limit of the range",
};

export function reasonText(reason: GuardReason): string {
  return reasons[reason] ?? "Another reason";
}

const countryNames = new Intl.DisplayNames("en", { type: "region" });

/** The name of a country. Undefined: the number does not tell. */
export function countryText(country: string | undefined): string {
  return country === undefined ? "No country" : (countryNames.of(country) ?? country);
}
