import { useInfiniteQuery } from "@connectrpc/connect-query";
import { keepPreviousData } from "@tanstack/react-query";
import { useState } from "react";
import { type ApiKey, ApiKeyService } from "#gen/byond/v1/api_key_pb.ts";
import { firstPage } from "../../api/first-page.ts";
import { useMode } from "../../api/mode.ts";
import { Button } from "../../components/button.tsx";
import { DataTable } from "../../components/data-table.tsx";
import { SelectField, TextField } from "../../components/fields.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { useGoTo } from "../../components/page-link.tsx";
import { useFilters } from "../../components/use-filters.ts";
import { KeyActions } from "./key-actions.tsx";
import { keyColumns } from "./key-columns.tsx";
import { CreateKeyDrawer } from "./key-drawers.tsx";
import { modeNameOf, statusOf } from "./key-texts.ts";
import type { NewSecret } from "./new-secret-dialog.tsx";
import { NoKeys } from "./no-keys.tsx";
import { VerifyEmailNotice } from "./verify-email-notice.tsx";

/** The most that the schema takes: names are searched among what is loaded. */
const pageSize = 1_000;
/** Rows that are shown at first, and that "Load more" adds. */
const rowsAtOnce = 100;
const refreshMs = 15_000;

export interface KeyListProps {
  readonly isCreating: boolean;
  readonly onSecret: (secret: NewSecret) => void;
}

/** The keys of the mode, newest first. */
export function KeyList({ isCreating, onSecret }: KeyListProps) {
  const mode = useMode();
  const goTo = useGoTo();
  const [filters, setFilters] = useFilters(["status", "q"]);
  const [rowCount, setRowCount] = useState(rowsAtOnce);
  const keys = useInfiniteQuery(
    ApiKeyService.method.listApiKeys,
    { pageSize, pageToken: firstPage, includeRevoked: filters.status === "revoked" || filters.status === "all" },
    {
      pageParamKey: "pageToken",
      getNextPageParam: (last) => last.nextPageToken,
      placeholderData: keepPreviousData,
      refetchInterval: refreshMs,
    },
  );
  const ofMode = keys.data?.pages.flatMap((page) => page.keys).filter((key) => modeNameOf(key.mode) === mode);
  const found = ofMode?.filter((key) => isFound(key, filters));
  const isFiltered = filters.status !== "" || filters.q !== "";
  const query = new URLSearchParams(Object.entries(filters).filter(([, value]) => value !== "")).toString();
  const withFilters = (path: string) => (query === "" ? path : `${path}?${query}`);
  const loadMore = () => {
    setRowCount(rowCount + rowsAtOnce);
    if (found !== undefined && found.length <= rowCount) {
      void keys.fetchNextPage();
    }
  };
  const create = () => goTo(withFilters("/keys/new"));
  return (
    <>
      <PageHeader
        title="API keys"
        description="Your servers send a key with every call. Keep keys out of browsers and apps."
        actions={
          <Button tone="primary" icon="plus" onPress={create}>
            Create key
          </Button>
        }
      />
      {mode === "live" && <VerifyEmailNotice />}
      <div className="filters">
        <TextField
          label="Find"
          type="search"
          placeholder="Name, prefix or id"
          value={filters.q}
          onChange={(q) => setFilters({ q })}
        />
        <SelectField
          label="Status"
          value={filters.status}
          onChange={(status) => setFilters({ status })}
          options={[
            ["", "Not revoked"],
            ["active", "Active"],
            ["expired", "Expired"],
            ["revoked", "Revoked"],
            ["all", "All"],
          ]}
        />
      </div>
      <DataTable
        label="API keys"
        columns={keyColumns}
        rows={found?.slice(0, rowCount)}
        rowKey={({ id }) => id}
        rowLink={({ id }) => `/keys/${id}`}
        rowActions={(key) => <KeyActions apiKey={key} onSecret={onSecret} />}
        error={keys.error}
        onRetry={() => void keys.refetch()}
        onLoadMore={found !== undefined && (found.length > rowCount || keys.hasNextPage) ? loadMore : undefined}
        isLoadingMore={keys.isFetchingNextPage}
        empty={
          <NoKeys
            mode={mode}
            isFiltered={isFiltered}
            onClear={() => setFilters({ status: "", q: "" })}
            onCreate={create}
          />
        }
      />
      {isCreating && (
        <CreateKeyDrawer
          onClose={() => goTo(withFilters("/keys"))}
          onCreated={(secret) => {
            goTo("/keys", { replace: true });
            onSecret(secret);
          }}
        />
      )}
    </>
  );
}

function isFound(key: ApiKey, { status, q }: { readonly status: string; readonly q: string }): boolean {
  const keyStatus = statusOf(key);
  const isOfStatus = status === "all" || (status === "" ? keyStatus !== "revoked" : keyStatus === status);
  const words = q.toLowerCase().split(/\s+/);
  const text = `${key.name} ${key.keyPrefix} ${key.id}`.toLowerCase();
  return isOfStatus && words.every((word) => text.includes(word));
}
