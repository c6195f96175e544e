import type { ReactNode } from "react";
import type { DurationReport, GetOverviewResponse } from "#gen/byond/v1/report_pb.ts";
import { formatCount, formatDuration } from "./formats.ts";
import styles from "./overview.module.css";

/** The figures of a period that are looked at first. */
export function Figures({ overview }: { readonly overview: GetOverviewResponse }) {
  const { verifications, timeToDelivery, timeToApproval, requests, requestLimit } = overview;
  const conversion = verifications?.conversionPercent;
  return (
    <dl className={styles.figures}>
      <Figure name="Verifications started" value={formatCount(verifications?.started)} />
      <Figure
        name="Approved"
        value={formatCount(verifications?.approved)}
        note={conversion === undefined ? "No conversion yet" : `${conversion} % conversion`}
      />
      <Figure name="Time to delivery" {...durationFigure(timeToDelivery)} />
      <Figure name="Time to approval" {...durationFigure(timeToApproval)} />
      <Figure
        name="Requests"
        value={formatCount(requests?.total)}
        note={requests?.failed === 0 ? "None failed" : `${formatCount(requests?.failed)} failed`}
      />
      <Figure
        name="Limit used this minute"
        value={requestLimit === undefined ? "No limit" : formatCount(requestLimit.used)}
        note={requestLimit && `of ${formatCount(requestLimit.requestsPerMinute)}, both modes`}
      />
    </dl>
  );
}

function durationFigure(report: DurationReport | undefined): { readonly value: string; readonly note: string } {
  return report?.p50Ms === undefined
    ? { value: "–", note: "Nothing yet" }
    : { value: formatDuration(report.p50Ms), note: `95 % within ${formatDuration(report.p95Ms)}` };
}

function Figure({ name, value, note }: { readonly name: string; readonly value: string; readonly note?: ReactNode }) {
  return (
    <div className={styles.figure}>
      <dt>{name}</dt>
      <dd className={styles.value}>{value}</dd>
      {note && <dd className={styles.note}>{note}</dd>}
    </div>
  );
}
