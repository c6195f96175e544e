import type { ApiKey } from "#gen/byond/v1/api_key_pb.ts";
import type { Column } from "../../components/data-table.tsx";
import { Time } from "../../components/time.tsx";
import { KeyStatusBadge } from "./key-status.tsx";
import { scopesText } from "./key-texts.ts";
import styles from "./keys-page.module.css";

export const keyColumns: readonly Column<ApiKey>[] = [
  {
    title: "Name",
    cell: ({ name }) => (
      <bdi className={styles.name} title={name}>
        {name}
      </bdi>
    ),
  },
  { title: "Status", cell: (key) => <KeyStatusBadge apiKey={key} /> },
  { title: "Prefix", cell: ({ keyPrefix }) => <code className={styles.prefix}>{keyPrefix}</code> },
  { title: "Scopes", cell: scopesText },
  { title: "Last used", cell: ({ lastUsedAt }) => <Time at={lastUsedAt} relative none="Never" /> },
  { title: "Expires", cell: ({ expiresAt }) => <Time at={expiresAt} relative none="Never" /> },
];
