import { useQuery } from "@connectrpc/connect-query";
import { keepPreviousData } from "@tanstack/react-query";
import { type GuardCountryCount, type GuardReasonCount, GuardService } from "#gen/byond/v1/guard_pb.ts";
import { ReportPeriod } from "#gen/byond/v1/report_pb.ts";
import { useMode } from "../../api/mode.ts";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { PeriodChoice } from "../../components/period-choice.tsx";
import { useFilters } from "../../components/use-filters.ts";
import styles from "./guard-page.module.css";
import { countryText, reasonText } from "./guard-words.ts";

const periods: Readonly<Record<string, ReportPeriod>> = {
  "24h": ReportPeriod.DAY,
  "7d": ReportPeriod.WEEK,
  "30d": ReportPeriod.MONTH,
};

interface Count {
  readonly refused: number;
  readonly wouldRefuse: number;
}

const counts: readonly Column<Count>[] = [
  { title: "Refused", cell: ({ refused }) => refused, align: "end" },
  { title: "Only counted", cell: ({ wouldRefuse }) => wouldRefuse, align: "end" },
];

const reasonColumns: readonly Column<GuardReasonCount>[] = [
  { title: "Reason", cell: ({ reason }) => reasonText(reason) },
  ...counts,
];

const countryColumns: readonly Column<GuardCountryCount>[] = [
  { title: "Country", cell: ({ country }) => countryText(country) },
  ...counts,
];

/** How many codes were refused, or would have been, of the mode that is shown. */
export function GuardReport() {
  const mode = useMode();
  const [filters, setFilters] = useFilters(["period"]);
  const period = Object.hasOwn(periods, filters.period) ? filters.period : "24h";
  const report = useQuery(
    GuardService.method.getGuardReport,
    { period: periods[period] ?? ReportPeriod.DAY },
    { placeholderData: keepPreviousData },
  );
  const table = { error: report.error, onRetry: () => void report.refetch() };
  const empty = (
    <EmptyState icon="check" title="Nothing was refused">
      Nor would anything have been, in this period.
    </EmptyState>
  );
  return (
    <div className="stack" key={mode}>
      <PeriodChoice period={period} onChange={(next) => setFilters({ period: next === "24h" ? "" : next })} />
      <div className={styles.columns}>
        <DataTable
          label="Refusals by reason"
          columns={reasonColumns}
          rows={report.data?.reasons}
          rowKey={({ reason }) => String(reason)}
          empty={empty}
          {...table}
        />
        {report.data !== undefined && report.data.countries.length > 0 && (
          <DataTable
            label="Refusals by country"
            columns={countryColumns}
            rows={report.data.countries}
            rowKey={({ country }) => country ?? ""}
            empty={empty}
          />
        )}
      </div>
    </div>
  );
}
