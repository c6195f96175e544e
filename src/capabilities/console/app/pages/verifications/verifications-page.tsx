import { Route, Switch } from "wouter";
import { VerificationDetail } from "./verification-detail.tsx";
import { VerificationList } from "./verification-list.tsx";

export default function VerificationsPage() {
  return (
    <Switch>
      <Route path="/verifications" component={VerificationList} />
      <Route path="/verifications/:id">{({ id }) => <VerificationDetail key={id} id={id} />}</Route>
    </Switch>
  );
}
