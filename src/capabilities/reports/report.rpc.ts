import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import type {
  DurationReportSchema,
  OverviewBucketSchema,
  ReportService,
  VerificationCountsSchema,
} from "../../../gen/byond/v1/report_pb.ts";
import type { Channel } from "../../../gen/byond/v1/verify_pb.ts";
import { callMode } from "../../access/call-mode.ts";
import { anyCaller } from "../../access/caller.ts";
import { requestsPerMinuteByTier } from "../../access/tiers.ts";
import { int32, periodOf } from "../../rpc/report-period.ts";
import { channelEnums } from "../channels/channel-proto.ts";
import { channelNames } from "../channels/outgoing-message.ts";
import type { DurationSummary } from "./durations.ts";
import {
  conversionPercent,
  getOverview,
  type OverviewBucket,
  type OverviewDependencies,
  type VerificationCounts,
} from "./get-overview.ts";
import { getUsage, type UsageDependencies } from "./get-usage.ts";
import { type Amounts, getVerificationReport } from "./get-verification-report.ts";
import { usageGroupMessage, usageInput } from "./usage-proto.ts";
import { groupMessage, reportInput } from "./verification-report-proto.ts";

interface Dependencies extends OverviewDependencies, UsageDependencies {
  /** Undefined: the server has no prices. */
  readonly amounts: Amounts | undefined;
}

/** ReportService: translates messages to operations and back. */
export function reportService(deps: Dependencies): ServiceImpl<typeof ReportService> {
  return {
    async getUsage(request, context) {
      const { workspaceId } = anyCaller(context);
      const input = usageInput(request, deps.clock.now());
      const groups = await getUsage(deps, { ...input, workspaceId, mode: callMode(context) });
      return { from: input.from, until: input.until, groups: groups.map(usageGroupMessage) };
    },

    async getOverview(request, context) {
      const period = periodOf(request.period);
      const { workspaceId, tier } = anyCaller(context);
      const overview = await getOverview(deps, {
        workspaceId,
        mode: callMode(context),
        period,
        requestsPerMinute: requestsPerMinuteByTier[tier],
      });
      return {
        periodStart: timestampFromDate(overview.periodStart),
        periodEnd: timestampFromDate(overview.periodEnd),
        bucketSeconds: period.bucketMs / 1_000,
        verifications: countsMessage(overview.verifications),
        channels: inOrder(overview.channels).map(([channel, report]) => ({
          channel,
          verifications: countsMessage(report.verifications),
          timeToDelivery: durationMessage(report.timeToDelivery),
          timeToApproval: durationMessage(report.timeToApproval),
        })),
        buckets: overview.buckets.map(bucketMessage),
        timeToDelivery: durationMessage(overview.timeToDelivery),
        timeToApproval: durationMessage(overview.timeToApproval),
        requests: {
          total: int32(overview.requests.total),
          failed: int32(overview.requests.failed),
          errors: overview.requests.errors.map(({ code, requests }) => ({ code, requests: int32(requests) })),
        },
        ...(overview.requestLimit === undefined ? {} : { requestLimit: overview.requestLimit }),
      };
    },

    async getVerificationReport(request, context) {
      const { workspaceId } = anyCaller(context);
      const input = reportInput(request, deps.clock.now());
      const groups = await getVerificationReport(deps, { ...input, workspaceId, mode: callMode(context) });
      const { from, until, timeZone } = input;
      const { amounts } = deps;
      return {
        from,
        until,
        timeZone,
        groups: groups.map((group) => groupMessage(group, amounts)),
        ...(amounts === undefined ? {} : { currency: amounts.currency }),
      };
    },
  };
}

function bucketMessage(bucket: OverviewBucket): MessageInitShape<typeof OverviewBucketSchema> {
  return {
    start: timestampFromDate(bucket.start),
    verifications: countsMessage(bucket.verifications),
    channels: inOrder(bucket.channels).map(([channel, verifications]) => ({
      channel,
      verifications: countsMessage(verifications),
    })),
    requests: int32(bucket.requests),
    failedRequests: int32(bucket.failedRequests),
  };
}

/** Those of channels that this server knows, always in the same order. */
function inOrder<T>(channels: ReadonlyMap<string, T>): [Channel, T][] {
  return channelNames.flatMap((name): [Channel, T][] => {
    const found = channels.get(name);
    return found === undefined ? [] : [[channelEnums[name], found]];
  });
}

function countsMessage(counts: VerificationCounts): MessageInitShape<typeof VerificationCountsSchema> {
  const conversion = conversionPercent(counts);
  return {
    started: int32(counts.started),
    delivered: int32(counts.delivered),
    approved: int32(counts.approved),
    expired: int32(counts.expired),
    locked: int32(counts.locked),
    canceled: int32(counts.canceled),
    channelUnavailable: int32(counts.channelUnavailable),
    failedMessages: int32(counts.failedMessages),
    ...(conversion === undefined ? {} : { conversionPercent: conversion }),
  };
}

function durationMessage(durations: DurationSummary): MessageInitShape<typeof DurationReportSchema> {
  const { p50Ms, p95Ms, ranges } = durations;
  return {
    ...(p50Ms === undefined ? {} : { p50Ms }),
    ...(p95Ms === undefined ? {} : { p95Ms }),
    ranges: ranges.map(({ belowMs, count }) => ({
      ...(belowMs === undefined ? {} : { belowMs }),
      count: int32(count),
    })),
  };
}
