import { EmptyState } from "../../components/empty-state.tsx";
import { PageHeader } from "../../components/page-header.tsx";

export default function InboxPage() {
  return (
    <>
      <PageHeader title="Inbox" description="Messages that this server keeps in place of sending them." />
      <EmptyState icon="inbox" title="Nothing here yet" />
    </>
  );
}
