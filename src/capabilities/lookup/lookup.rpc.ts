import type { ServiceImpl } from "@connectrpc/connect";
import {
  LineType as LineTypeMessage,
  LookupNumberRequestSchema,
  type LookupService,
  LookupSource,
} from "../../../gen/byond/v1/lookup_pb.ts";
import { type FieldCheck, fieldCheck } from "../../rpc/validation.ts";
import { type LineType, lookupNumber, parseRegion } from "./lookup-number.ts";

const lineTypeMessages = {
  mobile: LineTypeMessage.MOBILE,
  fixed_line: LineTypeMessage.FIXED_LINE,
  voip: LineTypeMessage.VOIP,
  toll_free: LineTypeMessage.TOLL_FREE,
  unknown: LineTypeMessage.UNKNOWN,
} as const satisfies Record<LineType, LineTypeMessage>;

/** Translates between the messages of LookupService and its operation. */
export function lookupService(): ServiceImpl<typeof LookupService> {
  return {
    lookupNumber(request) {
      const result = lookupNumber({
        number: request.number,
        country: request.country === undefined ? undefined : parseRegion(request.country),
      });
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
      };
    },
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
