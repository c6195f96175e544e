import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import {
  LineType as LineTypeMessage,
  LookupField as LookupFieldMessage,
  type LookupNumberRequest,
  type LookupNumberResponseSchema,
  LookupReason,
  LookupSource,
} from "../../../gen/byond/v1/lookup_pb.ts";
import type { CountryCode } from "../../text/numbering-plans.ts";
import type { NetworkState } from "./live-source.ts";
import { type LineType, type LookupInput, type LookupResult, parseRegion } from "./lookup-number.ts";
import type { InvalidReason, LookupField, NumberDetails } from "./number-details.ts";

const lineTypeMessages = {
  mobile: LineTypeMessage.MOBILE,
  fixed_line: LineTypeMessage.FIXED_LINE,
  voip: LineTypeMessage.VOIP,
  toll_free: LineTypeMessage.TOLL_FREE,
  unknown: LineTypeMessage.UNKNOWN,
} as const satisfies Record<LineType, LineTypeMessage>;

const fields: ReadonlyMap<LookupFieldMessage, LookupField> = new Map([
  [LookupFieldMessage.CALLING_CODE, "callingCode"],
  [LookupFieldMessage.EXTENSION, "extension"],
  [LookupFieldMessage.INTERNATIONAL_FORMAT, "internationalFormat"],
  [LookupFieldMessage.RFC3966, "rfc3966"],
  [LookupFieldMessage.REASON, "reason"],
  [LookupFieldMessage.ALSO_POSSIBLE, "alsoPossible"],
  [LookupFieldMessage.TIMEZONES, "timezones"],
  [LookupFieldMessage.LOCATION, "location"],
  [LookupFieldMessage.CARRIER, "carrier"],
  [LookupFieldMessage.METADATA_VERSION, "metadataVersion"],
]);

const reasonMessages = {
  too_short: LookupReason.TOO_SHORT,
  too_long: LookupReason.TOO_LONG,
  invalid_length: LookupReason.INVALID_LENGTH,
  unknown_country_code: LookupReason.UNKNOWN_COUNTRY_CODE,
  not_a_number: LookupReason.NOT_A_NUMBER,
  not_allocated: LookupReason.NOT_ALLOCATED,
  local_only: LookupReason.LOCAL_ONLY,
} as const satisfies Record<InvalidReason, LookupReason>;

export function toLookupInput({ number, country }: Pick<LookupNumberRequest, "number" | "country">): LookupInput {
  return { number, country: toRegion(country) };
}

export function toRegion(country: string | undefined): CountryCode | undefined {
  return country === undefined ? undefined : parseRegion(country);
}

/** The fields that a request names. The schema refuses unknown ones. */
export function toLookupFields(named: readonly LookupFieldMessage[]): LookupField[] {
  return named.flatMap((field) => fields.get(field) ?? []);
}

/** `state`: what the network said of the number. */
export function toLookupResponse(
  result: LookupResult,
  state?: NetworkState,
): MessageInitShape<typeof LookupNumberResponseSchema> {
  return {
    input: result.input,
    ...(result.e164 === null ? {} : { numberE164: result.e164 }),
    valid: result.valid,
    possible: result.possible,
    ...(result.countryCode === null ? {} : { countryCode: result.countryCode }),
    ...(result.country === null ? {} : { country: result.country }),
    ...(result.nationalFormat === null ? {} : { nationalFormat: result.nationalFormat }),
    lineType: lineTypeMessages[result.lineType],
    source: LookupSource.OFFLINE,
    possibleLineTypes: result.possibleLineTypes.map((type) => lineTypeMessages[type]),
    ...(result.details && toDetails(result.details)),
    ...(state && toNetwork(state)),
  };
}

function toDetails({ reason, alsoPossible, timezones, ...details }: NumberDetails) {
  return {
    ...details,
    ...(reason === undefined ? {} : { reason: reasonMessages[reason] }),
    ...(alsoPossible === undefined ? {} : { alsoPossible: { regions: [...alsoPossible] } }),
    ...(timezones === undefined ? {} : { timezones: { timezones: [...timezones] } }),
  };
}

function toNetwork({ reachable, carrier, ported, roamingCountry, lineType, checkedAt }: NetworkState) {
  const type = lineType === undefined ? undefined : lineTypeMessages[lineType];
  return {
    source: LookupSource.LIVE,
    network: {
      ...(reachable === undefined ? {} : { reachable }),
      ...(carrier === undefined ? {} : { carrier }),
      ...(ported === undefined ? {} : { ported }),
      ...(roamingCountry === undefined ? {} : { roamingCountry }),
      checkedAt: timestampFromDate(checkedAt),
    },
    ...(type === undefined ? {} : { lineType: type, possibleLineTypes: [type] }),
  };
}
