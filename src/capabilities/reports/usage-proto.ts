import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  type GetUsageRequest,
  UsageField as UsageFieldEnum,
  type UsageGroupSchema,
} from "../../../gen/byond/v1/report_pb.ts";
import { invalidFields } from "../../errors.ts";
import { int32 } from "../../rpc/report-period.ts";
import { channelEnums } from "../channels/channel-proto.ts";
import { channelNames } from "../channels/outgoing-message.ts";
import type { UsageField, UsageGroup, UsageInput } from "./get-usage.ts";
import { addDays, dateAt, daysBetween, isDate } from "./report-days.ts";
import { usageDays } from "./reports.policy.ts";

const fieldsByEnum = new Map<UsageFieldEnum, UsageField>([
  [UsageFieldEnum.DAY, "day"],
  [UsageFieldEnum.CHANNEL, "channel"],
  [UsageFieldEnum.COUNTRY, "country"],
  [UsageFieldEnum.API_KEY, "keyId"],
]);

/** The period that a request asks for. Throws `validation_error` for a date that does not exist, and for a period that is too long, or none. */
export function usageInput(
  { from, until, groupBy }: GetUsageRequest,
  now: Date,
): Pick<UsageInput, "from" | "until" | "groupBy"> {
  const notDates = Object.entries({ from, until }).filter(([, date]) => date !== undefined && !isDate(date));
  if (notDates.length > 0) {
    throw invalidFields(Object.fromEntries(notDates.map(([name]) => [name, "must be a date such as 2026-05-31"])));
  }
  const last = until ?? dateAt(now, "UTC");
  const first = from ?? addDays(last, 1 - usageDays.default);
  const days = daysBetween(first, last) + 1;
  if (days < 1) {
    throw invalidFields({ from: `must not be after until, which is ${last}` });
  }
  if (days > usageDays.max) {
    throw invalidFields({ from: `must be less than ${usageDays.max} days before until` });
  }
  return { from: first, until: last, groupBy: new Set(groupBy.flatMap((field) => fieldsByEnum.get(field) ?? [])) };
}

export function usageGroupMessage(group: UsageGroup): MessageInitShape<typeof UsageGroupSchema> {
  const { day, country, keyId, messages, lookups } = group;
  const channel = channelNames.find((name) => name === group.channel);
  return {
    messages: int32(messages),
    lookups: int32(lookups),
    ...(day === undefined ? {} : { day }),
    ...(channel === undefined ? {} : { channel: channelEnums[channel] }),
    ...(country === undefined || country === "" ? {} : { country }),
    ...(keyId === undefined || keyId === "" ? {} : { apiKeyId: keyId }),
  };
}
