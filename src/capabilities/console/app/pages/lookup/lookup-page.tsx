import { EmptyState } from "../../components/empty-state.tsx";
import { PageHeader } from "../../components/page-header.tsx";

export default function LookupPage() {
  return (
    <>
      <PageHeader title="Lookup" description="What a phone number tells about itself." />
      <EmptyState icon="phone" title="Nothing here yet" />
    </>
  );
}
