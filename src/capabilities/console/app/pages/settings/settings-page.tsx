import { useRoute } from "wouter";
import { PageHeader } from "../../components/page-header.tsx";
import { useGoTo } from "../../components/page-link.tsx";
import { Tabs } from "../../components/tabs.tsx";
import { NotFoundPage } from "../../shell/not-found-page.tsx";
import { AccountSettings } from "./account-settings.tsx";
import { SecuritySettings } from "./security-settings.tsx";
import { WorkspaceSettings } from "./workspace-settings.tsx";

const tabs = [
  { name: "workspace", title: "Workspace", content: <WorkspaceSettings /> },
  { name: "account", title: "Account", content: <AccountSettings /> },
  { name: "security", title: "Password and sessions", content: <SecuritySettings /> },
] as const;

/** Settings of the workspace and of its user, a tab an address: `/settings/account`. `/settings` is the first one. */
export default function SettingsPage() {
  const [isFirst] = useRoute("/settings");
  const [, params] = useRoute("/settings/:tab");
  const goTo = useGoTo();
  const selected = isFirst ? tabs[0] : tabs.find(({ name }) => name === params?.tab);
  if (selected === undefined) {
    return <NotFoundPage />;
  }
  return (
    <>
      <PageHeader title="Settings" />
      <Tabs
        label="Settings"
        tabs={tabs}
        selected={selected.name}
        onSelect={(name) => {
          if (name !== selected.name) {
            goTo(`/settings/${name}`);
          }
        }}
      />
    </>
  );
}
