import { useRoute } from "wouter";
import { PageHeader } from "../../components/page-header.tsx";
import { useGoTo } from "../../components/page-link.tsx";
import { PlaygroundKeyPanel } from "../../components/playground-key-panel.tsx";
import { Tabs } from "../../components/tabs.tsx";
import { NotFoundPage } from "../../shell/not-found-page.tsx";
import { EmailLookup } from "./email-lookup.tsx";
import { ListLookup } from "./list-lookup.tsx";
import { LookupHistory } from "./lookup-history.tsx";
import styles from "./lookup-page.module.css";
import { NumberLookup } from "./number-lookup.tsx";

const tabs = [
  { name: "number", title: "Number", path: "/lookup", content: <NumberLookup /> },
  { name: "list", title: "List", path: "/lookup/list", content: <ListLookup /> },
  { name: "email", title: "E-mail", path: "/lookup/email", content: <EmailLookup /> },
  { name: "history", title: "History", path: "/lookup/history", content: <LookupHistory /> },
] as const;

/** What is known of numbers and addresses, a tab an address. What is looked up is not put into the address: it would stay in the browser's history. */
export default function LookupPage() {
  const [isNumber] = useRoute("/lookup");
  const [, params] = useRoute("/lookup/:tab");
  const goTo = useGoTo();
  const selected = isNumber ? tabs[0] : tabs.slice(1).find(({ name }) => name === params?.tab);
  if (selected === undefined) {
    return <NotFoundPage />;
  }
  return (
    <>
      <PageHeader
        title="Lookup"
        description="What is known of phone numbers and e-mail addresses. Nothing is sent to them, and no carrier is asked."
      />
      <Tabs
        label="Lookup"
        tabs={tabs}
        selected={selected.name}
        onSelect={(name) => {
          const path = tabs.find((tab) => tab.name === name)?.path;
          if (name !== selected.name && path !== undefined) {
            goTo(path);
          }
        }}
      />
      {selected.name !== "history" && (
        <div className={styles.key}>
          <PlaygroundKeyPanel />
        </div>
      )}
    </>
  );
}
