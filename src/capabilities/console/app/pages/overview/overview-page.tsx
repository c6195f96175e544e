import { EmptyState } from "../../components/empty-state.tsx";
import { PageHeader } from "../../components/page-header.tsx";

export default function OverviewPage() {
  return (
    <>
      <PageHeader title="Overview" description="What happens in your workspace." />
      <EmptyState icon="overview" title="Nothing here yet" />
    </>
  );
}
