/** What a lookup has found, as a person reads it. */
import { LineType, type LookupNumberResponse, LookupReason } from "#gen/byond/v1/lookup_pb.ts";

const lineTypes: Readonly<Partial<Record<LineType, string>>> = {
  [LineType.MOBILE]: "mobile",
  [LineType.FIXED_LINE]: "fixed line",
  [LineType.VOIP]: "VoIP",
  [LineType.TOLL_FREE]: "toll-free",
};

const reasons: Readonly<Partial<Record<LookupReason, string>>> = {
  [LookupReason.TOO_SHORT]: "Too short",
  [LookupReason.TOO_LONG]: "Too long",
  [LookupReason.INVALID_LENGTH]: "No number of its plan is so long",
  [LookupReason.UNKNOWN_COUNTRY_CODE]: "No known country code",
  [LookupReason.NOT_A_NUMBER]: "Not a phone number",
  [LookupReason.NOT_ALLOCATED]: "Not assigned",
  [LookupReason.LOCAL_ONLY]: "Without its area code",
};

/** "Mobile", or "Mobile or fixed line" where the plan does not distinguish them. */
export function lineTypeText({ lineType, possibleLineTypes }: LookupNumberResponse): string {
  const types = lineType === LineType.UNKNOWN ? possibleLineTypes : [lineType];
  const words = types.map((type) => lineTypes[type] ?? "unknown").join(" or ") || "unknown";
  return words.slice(0, 1).toUpperCase() + words.slice(1);
}

/** Why a number is not valid; undefined if it is. */
export function reasonText({ valid, reason }: LookupNumberResponse): string | undefined {
  return valid ? undefined : (reasons[reason ?? LookupReason.UNSPECIFIED] ?? "Not valid");
}
