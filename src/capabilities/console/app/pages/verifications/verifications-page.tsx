import { EmptyState } from "../../components/empty-state.tsx";
import { PageHeader } from "../../components/page-header.tsx";

export default function VerificationsPage() {
  return (
    <>
      <PageHeader title="Verifications" description="Codes that were sent, and what became of them." />
      <EmptyState icon="shield" title="Nothing here yet" />
    </>
  );
}
