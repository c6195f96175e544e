import { useQuery } from "@connectrpc/connect-query";
import { keepPreviousData } from "@tanstack/react-query";
import { lazy, Suspense } from "react";
import { type GetOverviewResponse, ReportPeriod, ReportService } from "#gen/byond/v1/report_pb.ts";
import { useMode } from "../../api/mode.ts";
import { ErrorNotice } from "../../components/error-notice.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { PeriodChoice } from "../../components/period-choice.tsx";
import { Skeleton } from "../../components/skeleton.tsx";
import { useFilters } from "../../components/use-filters.ts";
import { Figures } from "./figures.tsx";
import { FirstSteps } from "./first-steps.tsx";

// The chart library, and the tables with it, are loaded when there is something to show.
const Report = lazy(() => import("./report.tsx"));

const refreshMs = 5_000;

const periods: Readonly<Record<string, ReportPeriod>> = {
  "24h": ReportPeriod.DAY,
  "7d": ReportPeriod.WEEK,
  "30d": ReportPeriod.MONTH,
};

/** The last hours or days in numbers. */
export default function OverviewPage() {
  return <Overview key={useMode()} />;
}

function Overview() {
  const [filters, setFilters] = useFilters(["period"]);
  const period = Object.hasOwn(periods, filters.period) ? filters.period : "24h";
  const { data, error, refetch } = useQuery(
    ReportService.method.getOverview,
    { period: periods[period] ?? ReportPeriod.DAY },
    { refetchInterval: refreshMs, placeholderData: keepPreviousData },
  );
  return (
    <>
      <PageHeader
        title="Overview"
        actions={
          <PeriodChoice period={period} onChange={(next) => setFilters({ period: next === "24h" ? "" : next })} />
        }
      />
      <ErrorNotice error={error} onRetry={() => void refetch()} />
      {data === undefined ? !error && <Skeleton lines={10} label="Loading overview" /> : <Content overview={data} />}
    </>
  );
}

function Content({ overview }: { readonly overview: GetOverviewResponse }) {
  const isEmpty = overview.verifications?.started === 0 && overview.requests?.total === 0;
  return (
    <div className="stack">
      <Figures overview={overview} />
      {isEmpty ? (
        <FirstSteps />
      ) : (
        <Suspense fallback={<Skeleton lines={10} label="Loading charts" />}>
          <Report overview={overview} />
        </Suspense>
      )}
    </div>
  );
}
