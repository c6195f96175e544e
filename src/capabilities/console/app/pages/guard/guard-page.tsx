import { useRoute } from "wouter";
import { PageHeader } from "../../components/page-header.tsx";
import { useGoTo } from "../../components/page-link.tsx";
import { Tabs } from "../../components/tabs.tsx";
import { NotFoundPage } from "../../shell/not-found-page.tsx";
import { BlockedRanges } from "./blocked-ranges.tsx";
import { GuardReport } from "./guard-report.tsx";
import { GuardSettings } from "./guard-settings.tsx";
import { SafeList } from "./safe-list.tsx";

const tabs = [
  { name: "settings", title: "Settings", path: "/guard", content: <GuardSettings /> },
  { name: "blocks", title: "Blocked ranges", path: "/guard/blocks", content: <BlockedRanges /> },
  { name: "safe-list", title: "Safe list", path: "/guard/safe-list", content: <SafeList /> },
  { name: "report", title: "Refusals", path: "/guard/report", content: <GuardReport /> },
] as const;

/** What the fraud guard is set to, and what it does, a tab an address. */
export default function GuardPage() {
  const [isSettings] = useRoute("/guard");
  const [, params] = useRoute("/guard/:tab");
  const goTo = useGoTo();
  const selected = isSettings ? tabs[0] : tabs.slice(1).find(({ name }) => name === params?.tab);
  if (selected === undefined) {
    return <NotFoundPage />;
  }
  return (
    <>
      <PageHeader
        title="Fraud guard"
        description="Keeps codes from numbers that cost money and verify nobody, before anything is sent."
      />
      <Tabs
        label="Fraud guard"
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
