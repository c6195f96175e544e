import { EmptyState } from "../../components/empty-state.tsx";
import { PageHeader } from "../../components/page-header.tsx";

export default function PlaygroundPage() {
  return (
    <>
      <PageHeader title="Playground" description="Try every operation of the API." />
      <EmptyState icon="play" title="Nothing here yet" />
    </>
  );
}
