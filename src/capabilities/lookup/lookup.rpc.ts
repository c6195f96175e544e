import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import {
  LineType as LineTypeMessage,
  LookupField as LookupFieldMessage,
  type LookupNumberRequest,
  LookupNumberRequestSchema,
  type LookupNumberResponseSchema,
  LookupReason,
  type LookupService,
  LookupSource,
} from "../../../gen/byond/v1/lookup_pb.ts";
import { type FieldCheck, fieldCheck } from "../../rpc/validation.ts";
import { type LineType, type LookupInput, type LookupResult, lookupNumber, parseRegion } from "./lookup-number.ts";
import { describeFields, type InvalidReason, type LookupField, type NumberDetails } from "./number-details.ts";
import type { PlanTables } from "./plan-tables.ts";

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

/** Translates between the messages of LookupService and its operation. */
export function lookupService(tables: PlanTables): ServiceImpl<typeof LookupService> {
  return {
    lookupNumber(request) {
      const input = toLookupInput(request);
      // At once, since nothing has to be read: most calls ask for nothing more.
      return request.fields.length === 0
        ? toLookupResponse(lookupNumber(input))
        : describeFields(toLookupFields(request.fields), tables).then((describe) =>
            toLookupResponse(lookupNumber(input, describe)),
          );
    },
  };
}

export function toLookupInput({ number, country }: Pick<LookupNumberRequest, "number" | "country">): LookupInput {
  return { number, country: country === undefined ? undefined : parseRegion(country) };
}

/** The fields that a request names. The schema refuses unknown ones. */
export function toLookupFields(named: readonly LookupFieldMessage[]): LookupField[] {
  return named.flatMap((field) => fields.get(field) ?? []);
}

export function toLookupResponse(result: LookupResult): MessageInitShape<typeof LookupNumberResponseSchema> {
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

/** Rules of the requests that the schema cannot express. */
export const lookupFieldChecks: readonly FieldCheck[] = [
  fieldCheck(LookupNumberRequestSchema, ({ country }) =>
    country === undefined || parseRegion(country) !== undefined
      ? {}
      : { country: "must be an ISO 3166-1 alpha-2 country code, such as SG" },
  ),
];
