import { useQuery } from "@connectrpc/connect-query";
import { AuthService, Tier } from "#gen/byond/v1/auth_pb.ts";
import { inBothModes } from "../../api/in-both-modes.ts";
import { Id } from "../../components/code-block.tsx";
import { ErrorNotice } from "../../components/error-notice.tsx";
import { Facts } from "../../components/facts.tsx";
import { Panel } from "../../components/panel.tsx";
import { Skeleton } from "../../components/skeleton.tsx";
import { Time } from "../../components/time.tsx";
import styles from "./settings-page.module.css";
import { AllowlistPanel, LookupHistoryPanel, NamePanel } from "./workspace-forms.tsx";

/** Requests in any 60 seconds, as the schema says of each tier. */
const tiers: Readonly<Partial<Record<Tier, readonly [name: string, limit: string]>>> = {
  [Tier.STARTER]: ["Starter", "1,000 requests in any 60 seconds"],
  [Tier.BUILDER]: ["Builder", "5,000 requests in any 60 seconds"],
  [Tier.SCALE]: ["Scale", "20,000 requests in any 60 seconds"],
  [Tier.UNLIMITED]: ["Unlimited", "None"],
};

export function WorkspaceSettings() {
  const { data, error, refetch } = useQuery(AuthService.method.getWorkspace, {}, inBothModes);
  const workspace = data?.workspace;
  if (workspace === undefined) {
    return error === null ? (
      <Skeleton lines={6} label="Loading the workspace" />
    ) : (
      <ErrorNotice error={error} onRetry={() => void refetch()} />
    );
  }
  const { id, name, tier, createdAt, ipAllowlist, lookupHistory } = workspace;
  const [tierName, limit] = tiers[tier] ?? ["Unknown", "Unknown"];
  return (
    <>
      <Panel title="Workspace" description="It owns your keys, verifications and events, live and test.">
        <Facts
          facts={{
            Id: <Id id={id} label="workspace id" />,
            Tier: tierName,
            "Request limit": limit,
            Created: <Time at={createdAt} />,
          }}
        />
        <p className={styles.note}>
          The limit is for all keys and sessions of the workspace together. The server’s administrator sets the tier.
        </p>
      </Panel>
      <NamePanel key={`name ${name}`} name={name} />
      <AllowlistPanel key={`ranges ${ipAllowlist?.ranges.join()}`} ranges={ipAllowlist?.ranges} />
      <LookupHistoryPanel isKept={lookupHistory} />
    </>
  );
}
