import { useState } from "react";
import { useRoute } from "wouter";
import { useMe } from "../../api/session.ts";
import { ButtonLink } from "../../components/button.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { Skeleton } from "../../components/skeleton.tsx";
import { useApiDocs } from "./operation-docs.ts";
import { OperationList } from "./operation-list.tsx";
import { OperationView } from "./operation-view.tsx";
import { findOperation, operations } from "./operations.ts";
import styles from "./playground-page.module.css";
import type { SnippetLanguage } from "./snippet-tabs.tsx";

/** Every operation of the schema as a form: what is typed, the lines that make the same call, and the answer. */
export default function PlaygroundPage() {
  return (
    <>
      <PageHeader title="Playground" description="Try every operation of the API, and take the lines along." />
      <Playground />
    </>
  );
}

function Playground() {
  const [, parameters] = useRoute("/playground/:method");
  const [language, setLanguage] = useState<SnippetLanguage>("curl");
  const [toFocus, setToFocus] = useState<string>();
  const docs = useApiDocs();
  const me = useMe();
  if (docs === undefined || me === undefined) {
    return <Skeleton lines={8} />;
  }
  const operation = parameters === null ? operations[0] : findOperation(parameters.method);
  return (
    <div className={styles.layout}>
      <OperationList docs={docs} selected={operation} />
      {operation === undefined ? (
        <EmptyState
          icon="play"
          title="There is no such operation"
          actions={<ButtonLink to="/playground">Show the first one</ButtonLink>}
        >
          The schema of this server has no RPC of this name.
        </EmptyState>
      ) : (
        <OperationView
          key={operation.method.name}
          operation={operation}
          docs={docs}
          userId={me.userId}
          language={language}
          onLanguage={setLanguage}
          takesFocus={toFocus === operation.method.name}
          onFocusTaken={() => setToFocus(undefined)}
          onNext={setToFocus}
        />
      )}
    </div>
  );
}
