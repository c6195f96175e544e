import { Route, Switch } from "wouter";
import { useMode } from "../../api/mode.ts";
import { VerificationDetail } from "./verification-detail.tsx";
import { VerificationList } from "./verification-list.tsx";

export default function VerificationsPage() {
  return (
    <Switch key={useMode()}>
      <Route path="/verifications" component={VerificationList} />
      <Route path="/verifications/:id">{({ id }) => <VerificationDetail key={id} id={id} />}</Route>
    </Switch>
  );
}
