import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  type GetVerificationReportRequest,
  GetVerificationReportRequestSchema,
  ReportField as ReportFieldEnum,
  type VerificationGroupSchema,
} from "../../../gen/byond/v1/report_pb.ts";
import { int32 } from "../../rpc/report-period.ts";
import { type FieldCheck, fieldCheck } from "../../rpc/validation.ts";
import { channelEnums, channelOf } from "../channels/channel-proto.ts";
import { channelNames } from "../channels/outgoing-message.ts";
import { conversionPercent } from "./get-overview.ts";
import type { Amounts, ReportField, VerificationGroup, VerificationReportInput } from "./get-verification-report.ts";
import { addDays, dateAt, daysBetween, isDate, isTimeZone } from "./report-days.ts";
import { reportDays } from "./reports.policy.ts";

const fieldsByEnum = new Map<ReportFieldEnum, ReportField>([
  [ReportFieldEnum.DAY, "day"],
  [ReportFieldEnum.CHANNEL, "channel"],
  [ReportFieldEnum.COUNTRY, "country"],
  [ReportFieldEnum.PROVIDER, "provider"],
  [ReportFieldEnum.API_KEY, "keyId"],
]);

/** The period of a request that passed validation. */
function periodOf({ from, until, timeZone = "UTC" }: GetVerificationReportRequest, now: Date) {
  const last = until ?? dateAt(now, timeZone);
  return { from: from ?? addDays(last, 1 - reportDays.default), until: last, timeZone };
}

export function reportInput(
  request: GetVerificationReportRequest,
  now: Date,
): Omit<VerificationReportInput, "workspaceId" | "mode"> {
  return {
    ...periodOf(request, now),
    groupBy: new Set(request.groupBy.flatMap((field) => fieldsByEnum.get(field) ?? [])),
    channels: request.channels.map(channelOf),
    countries: request.countries,
    providers: request.providers,
    keyIds: request.apiKeyIds,
  };
}

/** The rules of a period that the schema cannot express. */
export function reportFieldChecks(now: () => Date): readonly FieldCheck[] {
  return [
    fieldCheck(GetVerificationReportRequestSchema, (request) => {
      const dates = { from: request.from, until: request.until };
      const problems = Object.fromEntries(
        Object.entries(dates).flatMap(([field, date]) =>
          date === undefined || isDate(date) ? [] : [[field, "must be a date such as 2026-05-31"]],
        ),
      );
      if (request.timeZone !== undefined && !isTimeZone(request.timeZone)) {
        return { ...problems, time_zone: "must be the name of a time zone, such as Asia/Kolkata" };
      }
      return Object.keys(problems).length > 0 ? problems : periodProblems(request, now());
    }),
  ];
}

function periodProblems(request: GetVerificationReportRequest, now: Date): Record<string, string> {
  const { from, until } = periodOf(request, now);
  if (from > until) {
    return { from: `must not be after until, which is ${until}` };
  }
  return daysBetween(from, until) < reportDays.max
    ? {}
    : { from: `must be less than ${reportDays.max} days before until` };
}

/** `amounts`: undefined without prices. */
export function groupMessage(
  group: VerificationGroup,
  amounts: Amounts | undefined,
): MessageInitShape<typeof VerificationGroupSchema> {
  const { day, channel, country, provider, keyId, medianTimeToApprovalMs, cost, ...counts } = group;
  const conversion = conversionPercent(counts);
  const channelName = channelNames.find((name) => name === channel);
  return {
    ...(day === undefined ? {} : { day }),
    ...(channelName === undefined ? {} : { channel: channelEnums[channelName] }),
    ...unlessEmpty({ country, provider, apiKeyId: keyId }),
    started: int32(counts.started),
    sent: int32(counts.sent),
    delivered: int32(counts.delivered),
    approved: int32(counts.approved),
    expired: int32(counts.expired),
    locked: int32(counts.locked),
    canceled: int32(counts.canceled),
    channelUnavailable: int32(counts.channelUnavailable),
    failedMessages: int32(counts.failedMessages),
    ...(conversion === undefined ? {} : { conversionPercent: conversion }),
    ...(medianTimeToApprovalMs === undefined ? {} : { medianTimeToApprovalMs }),
    ...(amounts === undefined ? {} : { cost: amounts.format(cost) }),
  };
}

function unlessEmpty(texts: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(texts).flatMap(([name, text]) => (text ? [[name, text]] : [])));
}
