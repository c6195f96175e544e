import { timestampDate } from "@bufbuild/protobuf/wkt";
import type {
  ChannelReport,
  ErrorCount,
  GetOverviewResponse,
  OverviewBucket,
  VerificationCounts,
} from "#gen/byond/v1/report_pb.ts";
import { channelText } from "../../api/channels.ts";
import { serverPath } from "../../api/server-address.ts";
import BarChart from "../../components/bar-chart.tsx";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { Panel } from "../../components/panel.tsx";
import { formatCount, formatDuration } from "./formats.ts";
import { Funnel } from "./funnel.tsx";
import styles from "./overview.module.css";

const secondsOfDay = 86_400;

/** The outcomes in the chart, from the bottom. What is neither is pending. */
const outcomes = [
  { name: "Approved", color: "--chart-good", count: ({ approved }: VerificationCounts) => approved },
  { name: "Pending", color: "--chart-info", count: pendingOf },
  {
    name: "Expired or canceled",
    color: "--chart-neutral",
    count: ({ expired, canceled }: VerificationCounts) => expired + canceled,
  },
  {
    name: "Locked or not sent",
    color: "--chart-bad",
    count: ({ locked, channelUnavailable }: VerificationCounts) => locked + channelUnavailable,
  },
] as const;

function pendingOf({ started, approved, expired, locked, canceled, channelUnavailable }: VerificationCounts): number {
  return started - approved - expired - locked - canceled - channelUnavailable;
}

const hourFormat = new Intl.DateTimeFormat(undefined, { hour: "numeric" });
const dayFormat = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric", timeZone: "UTC" });

/** Charts and tables of a period. */
export default function Report({ overview }: { readonly overview: GetOverviewResponse }) {
  const { buckets, bucketSeconds, periodStart, periodEnd, channels, requests } = overview;
  const isDaily = bucketSeconds === secondsOfDay;
  const formatStart = (start: Date) => (isDaily ? dayFormat : hourFormat).format(start);
  const starts = buckets.map(startOf);
  return (
    <>
      <Panel
        title="Verifications"
        description={
          isDaily ? "By the day in UTC on which they were started." : "By the hour in which they were started."
        }
      >
        <BarChart
          label="Verifications over time by outcome; the table below has the numbers"
          starts={starts}
          end={periodEnd === undefined ? new Date() : timestampDate(periodEnd)}
          formatStart={formatStart}
          isUtc={isDaily}
          series={outcomes.map(({ name, color, count }) => ({
            name,
            color,
            values: buckets.map(({ verifications }) => (verifications === undefined ? 0 : count(verifications))),
          }))}
        />
        <details className={styles.numbers}>
          <summary>As a table</summary>
          <DataTable
            label="Verifications over time"
            columns={bucketColumns(formatStart)}
            rows={buckets.toReversed()}
            rowKey={(bucket) => startOf(bucket).toISOString()}
            empty={null}
          />
        </details>
      </Panel>
      {periodStart && <Funnel from={timestampDate(periodStart).toISOString().slice(0, 10)} />}
      <div className={styles.columns}>
        <section>
          <h2 className="section-title">Channels</h2>
          <DataTable
            label="Channels"
            columns={channelColumns}
            rows={channels}
            rowKey={({ channel }) => String(channel)}
            empty={<EmptyState icon="shield" title="No verifications in this period" />}
          />
        </section>
        <section>
          <h2 className="section-title">Errors</h2>
          <DataTable
            label="Errors"
            columns={errorColumns}
            rows={requests?.errors ?? []}
            rowKey={({ code }) => code}
            empty={<EmptyState icon="check" title="No request failed in this period" />}
          />
        </section>
      </div>
    </>
  );
}

function startOf({ start }: OverviewBucket): Date {
  return start === undefined ? new Date(0) : timestampDate(start);
}

function bucketColumns(formatStart: (start: Date) => string): readonly Column<OverviewBucket>[] {
  return [
    { title: "From", cell: (bucket) => formatStart(startOf(bucket)) },
    { title: "Started", cell: ({ verifications }) => formatCount(verifications?.started), align: "end" },
    ...outcomes.map(
      ({ name, count }): Column<OverviewBucket> => ({
        title: name,
        cell: ({ verifications }) => formatCount(verifications && count(verifications)),
        align: "end",
      }),
    ),
  ];
}

const channelColumns: readonly Column<ChannelReport>[] = [
  { title: "Channel", cell: ({ channel }) => channelText(channel) },
  { title: "Started", cell: ({ verifications }) => formatCount(verifications?.started), align: "end" },
  {
    title: "Approved",
    cell: ({ verifications }) =>
      verifications?.conversionPercent === undefined ? "–" : `${verifications.conversionPercent} %`,
    align: "end",
  },
  { title: "Failed messages", cell: ({ verifications }) => formatCount(verifications?.failedMessages), align: "end" },
  { title: "Delivery, median", cell: ({ timeToDelivery }) => formatDuration(timeToDelivery?.p50Ms), align: "end" },
];

const errorColumns: readonly Column<ErrorCount>[] = [
  {
    title: "Code",
    cell: ({ code }) => (
      <a href={`${serverPath}/docs/errors#${code}`} target="_blank" rel="noreferrer">
        <code>{code}</code>
      </a>
    ),
  },
  { title: "Requests", cell: ({ requests }) => formatCount(requests), align: "end" },
];
