import { useQuery } from "@connectrpc/connect-query";
import { keepPreviousData } from "@tanstack/react-query";
import { ReportService } from "#gen/byond/v1/report_pb.ts";
import { channelOptions, channels } from "../../api/channels.ts";
import { fetchWithSession, readJson } from "../../api/fetch-with-session.ts";
import { useMode } from "../../api/mode.ts";
import { useSubmit } from "../../api/use-submit.ts";
import { Button } from "../../components/button.tsx";
import { DataTable } from "../../components/data-table.tsx";
import { download } from "../../components/download.ts";
import { EmptyState } from "../../components/empty-state.tsx";
import { ErrorNotice } from "../../components/error-notice.tsx";
import { SelectField } from "../../components/fields.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { useFilters } from "../../components/use-filters.ts";
import { groupKey, reportColumns, reportFields } from "./report-columns.tsx";

const dayMs = 86_400_000;
const { timeZone } = new Intl.DateTimeFormat().resolvedOptions();
/** Writes dates as ISO 8601 does. */
const isoDate = new Intl.DateTimeFormat("en-CA", { year: "numeric", month: "2-digit", day: "2-digit" });

const periodOptions = [
  ["7", "7 days"],
  ["30", "30 days"],
  ["90", "90 days"],
  ["365", "365 days"],
] as const;

const fieldOptions = reportFields.map(([name, title]) => [name, title] as const);
const secondOptions = [["", "Nothing else"], ...fieldOptions] as const;

export default function ReportsPage() {
  return <Reports key={useMode()} />;
}

/** What became of the verifications of some days, as a table and as a file. */
function Reports() {
  const mode = useMode();
  const [filters, setFilters] = useFilters(["days", "by", "and", "channel"]);
  const [days] = periodOptions.find(([value]) => value === filters.days) ?? periodOptions[1];
  const first = reportFields.find(([name]) => name === filters.by) ?? reportFields[0];
  const second = reportFields.find(([name]) => name === filters.and && name !== first[0]);
  const channel = channels.find(([name]) => name === filters.channel);
  const fields = second === undefined ? [first] : [first, second];
  const from = isoDate.format(Date.now() - (Number(days) - 1) * dayMs);
  const report = useQuery(
    ReportService.method.getVerificationReport,
    {
      from,
      timeZone,
      groupBy: fields.map(([, , field]) => field),
      channels: channel === undefined ? [] : [channel[2]],
    },
    { placeholderData: keepPreviousData },
  );
  const file = useSubmit(async () => {
    const query = new URLSearchParams([
      ["from", from],
      ["time_zone", timeZone],
      ...fields.map(([name]) => ["group_by", name]),
      ...(channel === undefined ? [] : [["channels", channel[0]]]),
    ]);
    const answer = await fetchWithSession(`/api/v1/reports/verifications?${query}`, mode, undefined, "text/csv");
    download("verifications.csv", answer.ok ? await answer.text() : await readJson<string>(answer));
  });
  const groups = report.data?.groups;
  return (
    <>
      <PageHeader
        title="Reports"
        description={`What became of verifications, by the day of their start in ${timeZone}.`}
        actions={
          <Button onPress={() => void file.submit()} isPending={file.isPending}>
            Download CSV
          </Button>
        }
      />
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
        <SelectField
          label="Channel"
          value={channel?.[0] ?? ""}
          onChange={(value) => setFilters({ channel: value })}
          options={channelOptions}
        />
      </div>
      <ErrorNotice error={file.error} />
      <DataTable
        label="Verifications by group"
        columns={reportColumns(
          fields.map(([name]) => name),
          report.data?.currency,
        )}
        rows={groups}
        rowKey={groupKey}
        empty={
          <EmptyState icon="shield" title="No verifications in this period">
            A verification is counted once its first message was delivered or failed, or it ended.
          </EmptyState>
        }
        error={report.error}
        onRetry={() => void report.refetch()}
      />
    </>
  );
}
