import { EmptyState } from "../../components/empty-state.tsx";
import { PageHeader } from "../../components/page-header.tsx";

export default function KeysPage() {
  return (
    <>
      <PageHeader title="API keys" description="Keys that your servers call the API with." />
      <EmptyState icon="key" title="Nothing here yet" />
    </>
  );
}
