import { Route, Switch } from "wouter";
import { WebhookDetail } from "./webhook-detail.tsx";
import { WebhookList } from "./webhook-list.tsx";

export default function WebhooksPage() {
  return (
    <Switch>
      <Route path="/webhooks" component={WebhookList} />
      <Route path="/webhooks/:id/*?">{({ id }) => <WebhookDetail key={id} id={id} />}</Route>
    </Switch>
  );
}
