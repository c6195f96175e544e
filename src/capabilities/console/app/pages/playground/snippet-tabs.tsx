import { serverUrl } from "../../api/server-address.ts";
import { CodeBlock } from "../../components/code-block.tsx";
import { Panel } from "../../components/panel.tsx";
import { Tabs } from "../../components/tabs.tsx";
import type { ApiCall } from "./api-call.ts";
import styles from "./playground-page.module.css";
import { curlSnippet } from "./snippets/curl-snippet.ts";
import { fetchSnippet } from "./snippets/fetch-snippet.ts";
import { grpcurlSnippet } from "./snippets/grpcurl-snippet.ts";

const languages = [
  { name: "curl", title: "curl", label: "curl command", snippet: curlSnippet },
  { name: "fetch", title: "fetch", label: "fetch call", snippet: fetchSnippet },
  { name: "grpc", title: "gRPC", label: "grpcurl command", snippet: grpcurlSnippet },
] as const;

export type SnippetLanguage = (typeof languages)[number]["name"];

const variables = {
  key: "With the key in BYONDAPI_KEY.",
  session: "With the access token of a session in JWT.",
  none: "Without a credential.",
} as const;

export interface SnippetTabsProps {
  readonly call: ApiCall;
  readonly selected: SnippetLanguage;
  readonly onSelect: (language: SnippetLanguage) => void;
}

/** The lines that make the same call elsewhere. */
export function SnippetTabs({ call, selected, onSelect }: SnippetTabsProps) {
  return (
    <Panel title="The same call" description={variables[call.credential]}>
      <Tabs
        label="Language"
        selected={selected}
        onSelect={onSelect}
        tabs={languages.map(({ name, title, label, snippet }) => ({
          name,
          title,
          content: (
            <div className={styles.snippet}>
              <CodeBlock code={snippet(call, serverUrl)} label={label} />
            </div>
          ),
        }))}
      />
    </Panel>
  );
}
