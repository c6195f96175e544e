import { EmptyState } from "../../components/empty-state.tsx";
import { PageHeader } from "../../components/page-header.tsx";

export default function SettingsPage() {
  return (
    <>
      <PageHeader title="Settings" description="Workspace, account and sign-in." />
      <EmptyState icon="settings" title="Nothing here yet" />
    </>
  );
}
