import { EmptyState } from "../../components/empty-state.tsx";
import { PageHeader } from "../../components/page-header.tsx";

export default function EventsPage() {
  return (
    <>
      <PageHeader title="Events" description="What happened, as it happens." />
      <EmptyState icon="events" title="Nothing here yet" />
    </>
  );
}
