import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
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
import { keyCaller } from "../../access/caller.ts";
import { type FieldCheck, fieldCheck } from "../../rpc/validation.ts";
import type { LiveSource, NetworkState } from "./live-source.ts";
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

export interface LookupServiceDependencies {
  readonly tables: PlanTables;
  /** Undefined: the operator has none. */
  readonly liveSource: Pick<LiveSource, "find"> | undefined;
}

/** Translates between the messages of LookupService and its operation. */
export function lookupService({ tables, liveSource }: LookupServiceDependencies): ServiceImpl<typeof LookupService> {
  return {
    lookupNumber(request, context) {
      // At once, since nothing has to be read: most calls ask for nothing more.
      return request.fields.length === 0
        ? toLookupResponse(lookupNumber(toLookupInput(request)))
        : more(request, context);
    },
  };

  async function more(request: LookupNumberRequest, context: HandlerContext) {
    const describe = await describeFields(toLookupFields(request.fields), tables);
    const result = lookupNumber(toLookupInput(request), describe);
    const asksNetwork = request.fields.includes(LookupFieldMessage.NETWORK);
    const state =
      asksNetwork && result.valid && result.e164 !== null && keyCaller(context).mode === "live"
        ? await liveSource?.find(result.e164)
        : undefined;
    return toLookupResponse(result, state);
  }
}

export function toLookupInput({ number, country }: Pick<LookupNumberRequest, "number" | "country">): LookupInput {
  return { number, country: country === undefined ? undefined : parseRegion(country) };
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

/** Rules of the requests that the schema cannot express. */
export const lookupFieldChecks: readonly FieldCheck[] = [
  fieldCheck(LookupNumberRequestSchema, ({ country }) =>
    country === undefined || parseRegion(country) !== undefined
      ? {}
      : { country: "must be an ISO 3166-1 alpha-2 country code, such as SG" },
  ),
];
