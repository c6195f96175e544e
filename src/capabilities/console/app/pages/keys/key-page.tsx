import { useQuery } from "@connectrpc/connect-query";
import { useState } from "react";
import { type ApiKey, ApiKeyService } from "#gen/byond/v1/api_key_pb.ts";
import { toHouseError } from "../../api/house-error.ts";
import { Button, ButtonLink } from "../../components/button.tsx";
import { Id } from "../../components/code-block.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { ErrorNotice } from "../../components/error-notice.tsx";
import { Facts } from "../../components/facts.tsx";
import { Notice } from "../../components/notice.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { useGoTo } from "../../components/page-link.tsx";
import { Panel } from "../../components/panel.tsx";
import { Skeleton } from "../../components/skeleton.tsx";
import { StatusBadge } from "../../components/status-badge.tsx";
import { Time } from "../../components/time.tsx";
import { EditKeyDrawer } from "./key-drawers.tsx";
import { KeyHistory } from "./key-history.tsx";
import { KeyStatusBadge } from "./key-status.tsx";
import { addressesText, limitText, modeNameOf, scopesText, signatureText, statusOf } from "./key-texts.ts";
import styles from "./keys-page.module.css";
import type { NewSecret } from "./new-secret-dialog.tsx";
import { RevokeKeyDialog } from "./revoke-key-dialog.tsx";
import { RotateKeyDialog } from "./rotate-key-dialog.tsx";

const back = { to: "/keys", label: "API keys" };
/** The last use is accurate to ten seconds. */
const refreshMs = 10_000;

export interface KeyPageProps {
  readonly id: string;
  readonly isEditing: boolean;
  readonly onSecret: (secret: NewSecret) => void;
}

export function KeyPage({ id, isEditing, onSecret }: KeyPageProps) {
  const { data, error, refetch } = useQuery(ApiKeyService.method.getApiKey, { id }, { refetchInterval: refreshMs });
  if (data?.apiKey !== undefined) {
    return (
      <>
        <LoadedKey apiKey={data.apiKey} isEditing={isEditing} onSecret={onSecret} />
        <ErrorNotice error={error} onRetry={() => void refetch()} />
      </>
    );
  }
  return (
    <>
      <PageHeader title="API key" back={back} />
      {error === null ? (
        <Skeleton lines={6} label="Loading the key" />
      ) : toHouseError(error).code === "not_found" ? (
        <EmptyState
          icon="key"
          title="Your workspace has no such key"
          actions={<ButtonLink to="/keys">Show all keys</ButtonLink>}
        >
          <code>{id}</code>
        </EmptyState>
      ) : (
        <ErrorNotice error={error} onRetry={() => void refetch()} />
      )}
    </>
  );
}

function LoadedKey({ apiKey, isEditing, onSecret }: Omit<KeyPageProps, "id"> & { readonly apiKey: ApiKey }) {
  const goTo = useGoTo();
  const [dialog, setDialog] = useState<"rotate" | "revoke">();
  const close = () => setDialog(undefined);
  const status = statusOf(apiKey);
  const path = `/keys/${apiKey.id}`;
  return (
    <>
      <PageHeader
        title={apiKey.name}
        back={back}
        aside={
          <>
            <KeyStatusBadge apiKey={apiKey} />
            <StatusBadge tone="info">{modeNameOf(apiKey.mode) === "test" ? "Test" : "Live"}</StatusBadge>
          </>
        }
        actions={
          <>
            {status === "active" && (
              <>
                <Button onPress={() => goTo(`${path}/edit`)}>Edit</Button>
                <Button onPress={() => setDialog("rotate")}>Rotate</Button>
              </>
            )}
            {status !== "revoked" && <Button onPress={() => setDialog("revoke")}>Revoke</Button>}
          </>
        }
      />
      <div role="status">
        {apiKey.revokedAt && (
          <div className={styles.notice}>
            <Notice tone="bad" title="No server accepts this key any more">
              Revoked <Time at={apiKey.revokedAt} />
              {apiKey.revocationReason && (
                <>
                  : <bdi>{apiKey.revocationReason}</bdi>
                </>
              )}
            </Notice>
          </div>
        )}
        {status === "expired" && (
          <div className={styles.notice}>
            <Notice tone="warn" title="This key has expired">
              It cannot be changed or rotated. Create a new one.
            </Notice>
          </div>
        )}
      </div>
      <Panel title="Key">
        <Facts
          facts={{
            ...(apiKey.origins === undefined
              ? { Prefix: <Id id={apiKey.keyPrefix} label="prefix" /> }
              : { Key: <Id id={apiKey.keyPrefix} label="key" /> }),
            Id: <Id id={apiKey.id} label="key id" />,
            "Last used": <Time at={apiKey.lastUsedAt} relative none="Never" />,
            Created: <Time at={apiKey.createdAt} />,
            Expires: <Time at={apiKey.expiresAt} none="Never" />,
          }}
        />
      </Panel>
      <Panel
        title="Restrictions"
        description="What a request with this key must meet, in addition to the workspace’s allowlist."
      >
        <Facts
          facts={{
            Scopes: scopesText(apiKey),
            ...(apiKey.origins && { Origins: apiKey.origins.origins.join(", ") }),
            "IP allowlist": addressesText(apiKey),
            "Request limit": limitText(apiKey),
            Signature: signatureText(apiKey),
          }}
        />
      </Panel>
      <KeyHistory apiKey={apiKey} />
      {isEditing && status === "active" && <EditKeyDrawer apiKey={apiKey} onClose={() => goTo(path)} />}
      {dialog === "rotate" && <RotateKeyDialog apiKey={apiKey} onClose={close} onRotated={onSecret} />}
      {dialog === "revoke" && <RevokeKeyDialog apiKey={apiKey} onClose={close} />}
    </>
  );
}
