import { Button, Menu, MenuItem, MenuSection, MenuTrigger, Popover, Separator } from "react-aria-components";
import { signOut, useMe } from "../api/session.ts";
import { Icon } from "../components/icon.tsx";
import { useGoTo } from "../components/page-link.tsx";
import { setTheme, type Theme, useTheme } from "./theme.ts";

const themes: readonly (readonly [theme: Theme, title: string])[] = [
  ["system", "As the system"],
  ["light", "Light"],
  ["dark", "Dark"],
];

/** Who is signed in, the colours, settings, and the way out. */
export default function AccountMenu() {
  const me = useMe();
  const theme = useTheme();
  const goTo = useGoTo();
  return (
    <MenuTrigger>
      <Button className="account-button">
        <span className="account-mark" aria-hidden="true">
          {me?.email.slice(0, 1).toUpperCase() ?? <Icon name="user" />}
        </span>
        <span className="account-email">
          <span className="visually-hidden">Account </span>
          {me?.email}
        </span>
        <Icon name="chevron" size={16} />
      </Button>
      <Popover className="popover" placement="top start">
        <Menu className="list-box" aria-label="Account">
          <MenuItem className="list-item" onAction={() => goTo("/settings")}>
            Settings
          </MenuItem>
          <Separator className="separator" />
          <MenuSection
            aria-label="Colours"
            selectionMode="single"
            disallowEmptySelection
            selectedKeys={[theme]}
            onSelectionChange={(keys) => setTheme([...keys][0] as Theme)}
          >
            {themes.map(([name, title]) => (
              <MenuItem key={name} id={name} className="list-item">
                {({ isSelected }) => (
                  <>
                    {title}
                    {isSelected && <Icon name="check" size={16} />}
                  </>
                )}
              </MenuItem>
            ))}
          </MenuSection>
          <Separator className="separator" />
          <MenuItem className="list-item" onAction={() => void signOut()}>
            Sign out
          </MenuItem>
        </Menu>
      </Popover>
    </MenuTrigger>
  );
}
