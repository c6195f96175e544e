import { useQuery } from "@connectrpc/connect-query";
import { keepPreviousData } from "@tanstack/react-query";
import { ReportService, UsageField, type UsageGroup } from "#gen/byond/v1/report_pb.ts";
import { channelText } from "../../api/channels.ts";
import { useMode } from "../../api/mode.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { SelectField } from "../../components/fields.tsx";
import { useFilters } from "../../components/use-filters.ts";
import { countryText } from "../guard/guard-words.ts";
import { formatCount } from "../overview/formats.ts";

const dayMs = 86_400_000;
const dayFormat = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeZone: "UTC" });

const periodOptions = [
  ["7", "7 days"],
  ["30", "30 days"],
  ["90", "90 days"],
  ["365", "365 days"],
] as const;

/** What usage can be grouped by: its name in the address, its text, its number, and what a group has of it. */
const fields = [
  [
    "day",
    "Day (UTC)",
    UsageField.DAY,
    ({ day }: UsageGroup) => (day === undefined ? "" : dayFormat.format(new Date(day))),
  ],
  [
    "channel",
    "Channel",
    UsageField.CHANNEL,
    ({ channel }: UsageGroup) => (channel === undefined ? "Lookups" : channelText(channel)),
  ],
  ["country", "Country", UsageField.COUNTRY, ({ country }: UsageGroup) => countryText(country)],
  ["api_key", "API key", UsageField.API_KEY, ({ apiKeyId }: UsageGroup) => apiKeyId ?? "None"],
] as const;

const fieldOptions = fields.map(([name, title]) => [name, title] as const);
const secondOptions = [["", "Nothing else"], ...fieldOptions] as const;

const counts: readonly Column<UsageGroup>[] = [
  { title: "Messages", cell: ({ messages }) => formatCount(messages), align: "end" },
  { title: "Lookups", cell: ({ lookups }) => formatCount(lookups), align: "end" },
];

/** What was used in some days, by group, of the mode that is shown. */
export function Usage() {
  const mode = useMode();
  const [filters, setFilters] = useFilters(["days", "by", "and"]);
  const [days] = periodOptions.find(([value]) => value === filters.days) ?? periodOptions[1];
  const first = fields.find(([name]) => name === filters.by) ?? fields[0];
  const second = fields.find(([name]) => name === filters.and && name !== first[0]);
  const grouped = second === undefined ? [first] : [first, second];
  const usage = useQuery(
    ReportService.method.getUsage,
    {
      from: new Date(Date.now() - (Number(days) - 1) * dayMs).toISOString().slice(0, 10),
      groupBy: grouped.map(([, , field]) => field),
    },
    { placeholderData: keepPreviousData },
  );
  return (
    <div key={mode}>
      <div className="filters">
        <SelectField
          label="Period"
          value={days}
          onChange={(value) => setFilters({ days: value })}
          options={periodOptions}
        />
        <SelectField
          label="By"
          value={first[0]}
          onChange={(value) => setFilters({ by: value })}
          options={fieldOptions}
        />
        <SelectField
          label="And by"
          value={second?.[0] ?? ""}
          onChange={(value) => setFilters({ and: value })}
          options={secondOptions}
        />
      </div>
      <DataTable
        label="Usage by group"
        columns={[...grouped.map(([, title, , cell]) => ({ title, cell })), ...counts]}
        rows={usage.data?.groups}
        rowKey={(group) => fields.map(([, , , cell]) => cell(group)).join(" ")}
        empty={
          <EmptyState icon="check" title="Nothing was used in this period">
            A message counts once a provider has accepted it, and a number once it was looked up.
          </EmptyState>
        }
        error={usage.error}
        onRetry={() => void usage.refetch()}
      />
    </div>
  );
}
