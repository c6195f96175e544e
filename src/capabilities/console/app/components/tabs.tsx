import type { ReactNode } from "react";
import { Tabs as AriaTabs, Tab, TabList, TabPanel } from "react-aria-components";

export interface TabsProps<Name extends string> {
  readonly label: string;
  readonly tabs: readonly { readonly name: Name; readonly title: string; readonly content: ReactNode }[];
  readonly selected?: Name;
  readonly onSelect?: (name: Name) => void;
}

/** Panels of which one is shown. Without `selected` they keep by themselves which. */
export function Tabs<Name extends string>({ label, tabs, selected, onSelect }: TabsProps<Name>) {
  return (
    <AriaTabs
      className="tabs"
      {...(selected === undefined ? {} : { selectedKey: selected })}
      onSelectionChange={(key) => onSelect?.(String(key) as Name)}
    >
      <TabList className="tab-list" aria-label={label}>
        {tabs.map(({ name, title }) => (
          <Tab key={name} id={name} className="tab">
            {title}
          </Tab>
        ))}
      </TabList>
      {tabs.map(({ name, content }) => (
        <TabPanel key={name} id={name} className="tab-panel">
          {content}
        </TabPanel>
      ))}
    </AriaTabs>
  );
}
