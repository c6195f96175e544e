import { type ComponentType, type LazyExoticComponent, lazy } from "react";
import type { IconName } from "../components/icon.tsx";

/** A page of somebody who is signed in. It is loaded when it is first shown. */
export interface ConsolePage {
  readonly title: string;
  /** Where the navigation leads. */
  readonly path: string;
  /** All addresses of the page, those of its parts included: `/keys/*?`. The page has routes of its own for them. */
  readonly route: string;
  readonly icon: IconName;
  readonly component: LazyExoticComponent<ComponentType>;
  /** Words that the search finds it by, beside its title. */
  readonly words: string;
}

/** In the order of the navigation. */
export const pages: readonly ConsolePage[] = [
  {
    title: "Overview",
    path: "/",
    route: "/",
    icon: "overview",
    component: lazy(() => import("../pages/overview/overview-page.tsx")),
    words: "home dashboard statistics conversion delivery",
  },
  {
    title: "API keys",
    path: "/keys",
    route: "/keys/*?",
    icon: "key",
    component: lazy(() => import("../pages/keys/keys-page.tsx")),
    words: "create key secret scope rotate revoke",
  },
  {
    title: "Verifications",
    path: "/verifications",
    route: "/verifications/*?",
    icon: "shield",
    component: lazy(() => import("../pages/verifications/verifications-page.tsx")),
    words: "codes otp resend cancel attempts",
  },
  {
    title: "Reports",
    path: "/reports",
    route: "/reports",
    icon: "chart",
    component: lazy(() => import("../pages/reports/reports-page.tsx")),
    words: "funnel statistics conversion countries providers keys csv export",
  },
  {
    title: "Suppressions",
    path: "/suppressions",
    route: "/suppressions",
    icon: "ban",
    component: lazy(() => import("../pages/suppressions/suppressions-page.tsx")),
    words: "bounces undeliverable blocked recipients",
  },
  {
    title: "Fraud guard",
    path: "/guard",
    route: "/guard/*?",
    icon: "warning",
    component: lazy(() => import("../pages/guard/guard-page.tsx")),
    words: "sms pumping toll fraud countries premium blocks safe list limits shadow hook",
  },
  {
    title: "Fixed codes",
    path: "/fixed-codes",
    route: "/fixed-codes",
    icon: "lock",
    component: lazy(() => import("../pages/fixed-codes/fixed-codes-page.tsx")),
    words: "app review end-to-end tests reviewer recipients",
  },
  {
    title: "Templates",
    path: "/templates",
    route: "/templates/*?",
    icon: "book",
    component: lazy(() => import("../pages/templates/templates-page.tsx")),
    words: "texts of your own mail sms call subject html logo colors languages",
  },
  {
    title: "Lookup",
    path: "/lookup",
    route: "/lookup/*?",
    icon: "phone",
    component: lazy(() => import("../pages/lookup/lookup-page.tsx")),
    words: "phone number carrier country",
  },
  {
    title: "Playground",
    path: "/playground",
    route: "/playground/*?",
    icon: "play",
    component: lazy(() => import("../pages/playground/playground-page.tsx")),
    words: "try api curl fetch grpc request",
  },
  {
    title: "Usage",
    path: "/usage",
    route: "/usage/*?",
    icon: "usage",
    component: lazy(() => import("../pages/usage/usage-page.tsx")),
    words: "billing balance wallet credit prices cost spend caps messages lookups countries keys",
  },
  {
    title: "Inbox",
    path: "/inbox",
    route: "/inbox/*?",
    icon: "inbox",
    component: lazy(() => import("../pages/inbox/inbox-page.tsx")),
    words: "messages mail whatsapp codes",
  },
  {
    title: "Events",
    path: "/events",
    route: "/events/*?",
    icon: "events",
    component: lazy(() => import("../pages/events/events-page.tsx")),
    words: "stream live log",
  },
  {
    title: "Webhooks",
    path: "/webhooks",
    route: "/webhooks/*?",
    icon: "webhook",
    component: lazy(() => import("../pages/webhooks/webhooks-page.tsx")),
    words: "endpoints deliveries attempts redeliver secret",
  },
  {
    title: "Settings",
    path: "/settings",
    route: "/settings/*?",
    icon: "settings",
    component: lazy(() => import("../pages/settings/settings-page.tsx")),
    words: "workspace tier limits allowlist password sessions delete account verify e-mail",
  },
];
