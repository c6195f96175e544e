import { useQuery } from "@connectrpc/connect-query";
import { keepPreviousData } from "@tanstack/react-query";
import { ReportService, type VerificationGroup } from "#gen/byond/v1/report_pb.ts";
import { ErrorNotice } from "../../components/error-notice.tsx";
import { PageLink } from "../../components/page-link.tsx";
import { Panel } from "../../components/panel.tsx";
import { Skeleton } from "../../components/skeleton.tsx";
import { formatCount, formatDuration } from "./formats.ts";
import styles from "./funnel.module.css";

/** A report reads more than the overview does. */
const refreshMs = 30_000;

const stages = [
  ["Started", ({ started }: VerificationGroup) => started],
  ["Sent", ({ sent }: VerificationGroup) => sent],
  ["Delivered", ({ delivered }: VerificationGroup) => delivered],
  ["Approved", ({ approved }: VerificationGroup) => approved],
] as const;

const dayFormat = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric", timeZone: "UTC" });

/** How far the verifications came that were started since a day of UTC. */
export function Funnel({ from }: { readonly from: string }) {
  const { data, error, refetch } = useQuery(
    ReportService.method.getVerificationReport,
    { from },
    { refetchInterval: refreshMs, placeholderData: keepPreviousData },
  );
  return (
    <Panel
      title="Funnel"
      description={`Verifications since ${dayFormat.format(new Date(from))} (UTC), once their first message has an outcome or they have ended.`}
      actions={<PageLink to="/reports">By day, country, provider and key</PageLink>}
    >
      <ErrorNotice error={error} onRetry={() => void refetch()} />
      {data === undefined ? (
        !error && <Skeleton lines={4} label="Loading the funnel" />
      ) : (
        <Stages group={data.groups[0]} currency={data.currency} />
      )}
    </Panel>
  );
}

/** `group`: undefined if there were none. */
function Stages({
  group,
  currency,
}: {
  readonly group: VerificationGroup | undefined;
  readonly currency: string | undefined;
}) {
  if (group === undefined) {
    return <p className={styles.note}>None yet.</p>;
  }
  const { started, medianTimeToApprovalMs, cost } = group;
  const notes = [
    ...(medianTimeToApprovalMs === undefined
      ? []
      : [`Median time to approval: ${formatDuration(medianTimeToApprovalMs)}`]),
    ...(cost === undefined ? [] : [`Cost: ${cost} ${currency}`]),
  ];
  return (
    <>
      <table className={styles.funnel} aria-label="Funnel">
        <tbody>
          {stages.map(([name, count]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td aria-hidden="true">
                <div className={styles.bar} style={{ width: `${(100 * count(group)) / started}%` }} />
              </td>
              <td className={styles.number}>{formatCount(count(group))}</td>
              <td className={styles.number}>{Math.round((100 * count(group)) / started)} %</td>
            </tr>
          ))}
        </tbody>
      </table>
      {notes.length > 0 && <p className={styles.note}>{notes.join(" · ")}</p>}
    </>
  );
}
