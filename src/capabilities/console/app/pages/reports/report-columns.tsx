import { ReportField, type VerificationGroup } from "#gen/byond/v1/report_pb.ts";
import { channelText } from "../../api/channels.ts";
import type { Column } from "../../components/data-table.tsx";
import { countryText } from "../guard/guard-words.ts";
import { formatCount, formatDuration } from "../overview/formats.ts";

/** What a report can be grouped by: its name in the address and over REST, its text, and its number. */
export const reportFields = [
  ["day", "Day", ReportField.DAY],
  ["channel", "Channel", ReportField.CHANNEL],
  ["country", "Country", ReportField.COUNTRY],
  ["provider", "Provider", ReportField.PROVIDER],
  ["api_key", "API key", ReportField.API_KEY],
] as const;

export type ReportFieldName = (typeof reportFields)[number][0];

const dayFormat = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeZone: "UTC" });

const values: Readonly<Record<ReportFieldName, (group: VerificationGroup) => string>> = {
  day: ({ day }) => (day === undefined ? "" : dayFormat.format(new Date(day))),
  channel: ({ channel }) => (channel === undefined ? "" : channelText(channel)),
  country: ({ country }) => countryText(country),
  provider: ({ provider }) => provider ?? "None",
  api_key: ({ apiKeyId }) => apiKeyId ?? "Unknown",
};

/** The columns of a report that is grouped by these fields. `currency`: undefined without prices. */
export function reportColumns(
  fields: readonly ReportFieldName[],
  currency: string | undefined,
): readonly Column<VerificationGroup>[] {
  const groups = reportFields
    .filter(([name]) => fields.includes(name))
    .map(([name, title]): Column<VerificationGroup> => ({ title, cell: values[name] }));
  const cost: Column<VerificationGroup> = {
    title: `Cost, ${currency}`,
    cell: (group) => group.cost ?? "–",
    align: "end",
  };
  return [...groups, ...counts, ...(currency === undefined ? [] : [cost])];
}

export const groupKey = (group: VerificationGroup) => reportFields.map(([name]) => values[name](group)).join(" ");

const counts: readonly Column<VerificationGroup>[] = [
  { title: "Started", cell: ({ started }) => formatCount(started), align: "end" },
  { title: "Sent", cell: ({ sent }) => formatCount(sent), align: "end" },
  { title: "Delivered", cell: ({ delivered }) => formatCount(delivered), align: "end" },
  { title: "Approved", cell: ({ approved }) => formatCount(approved), align: "end" },
  {
    title: "Conversion",
    cell: ({ conversionPercent }) => (conversionPercent === undefined ? "–" : `${conversionPercent} %`),
    align: "end",
  },
  {
    title: "Failed messages",
    cell: ({ failedMessages }) => formatCount(failedMessages),
    align: "end",
    isSecondary: true,
  },
  {
    title: "Approval, median",
    cell: ({ medianTimeToApprovalMs }) => formatDuration(medianTimeToApprovalMs),
    align: "end",
  },
];
