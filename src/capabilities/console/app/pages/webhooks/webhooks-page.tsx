import { EmptyState } from "../../components/empty-state.tsx";
import { PageHeader } from "../../components/page-header.tsx";

export default function WebhooksPage() {
  return (
    <>
      <PageHeader title="Webhooks" description="Where your servers are told of events." />
      <EmptyState icon="webhook" title="Nothing here yet" />
    </>
  );
}
