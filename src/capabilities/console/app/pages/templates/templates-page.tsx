import { Route, Switch } from "wouter";
import { NotFoundPage } from "../../shell/not-found-page.tsx";
import { templateChannels } from "./template-channels.ts";
import { NewTemplate, TemplateEditor } from "./template-editor.tsx";
import { TemplateList } from "./template-list.tsx";

/** Texts of the workspace's own for the messages with codes. */
export default function TemplatesPage() {
  return (
    <Switch>
      <Route path="/templates" component={TemplateList} />
      <Route path="/templates/new" component={NewTemplate} />
      <Route path="/templates/:channel/:locale">
        {({ channel: name, locale }) => {
          const channel = templateChannels.find(([known]) => known === name)?.[2];
          return channel === undefined ? (
            <NotFoundPage />
          ) : (
            <TemplateEditor key={`${name} ${locale}`} channel={channel} locale={locale} />
          );
        }}
      </Route>
      <Route component={NotFoundPage} />
    </Switch>
  );
}
