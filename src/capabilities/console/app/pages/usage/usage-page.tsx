import { useRoute } from "wouter";
import { PageHeader } from "../../components/page-header.tsx";
import { useGoTo } from "../../components/page-link.tsx";
import { Tabs } from "../../components/tabs.tsx";
import { NotFoundPage } from "../../shell/not-found-page.tsx";
import { Balance } from "./balance.tsx";
import { Usage } from "./usage.tsx";

const tabs = [
  { name: "usage", title: "Usage", path: "/usage", content: <Usage /> },
  { name: "balance", title: "Balance", path: "/usage/balance", content: <Balance /> },
] as const;

/** What the workspace used, and what it spent, a tab an address. */
export default function UsagePage() {
  const [isUsage] = useRoute("/usage");
  const [, params] = useRoute("/usage/:tab");
  const goTo = useGoTo();
  const selected = isUsage ? tabs[0] : tabs.slice(1).find(({ name }) => name === params?.tab);
  if (selected === undefined) {
    return <NotFoundPage />;
  }
  return (
    <>
      <PageHeader
        title="Usage"
        description="Messages that were sent, numbers that were looked up, and what they cost."
      />
      <Tabs
        label="Usage"
        tabs={tabs}
        selected={selected.name}
        onSelect={(name) => {
          const path = tabs.find((tab) => tab.name === name)?.path;
          if (name !== selected.name && path !== undefined) {
            goTo(path);
          }
        }}
      />
    </>
  );
}
