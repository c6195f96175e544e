/** The mark in the bar: whether the server can serve, asked of it every half minute while the page is looked at. */
const intervalMs = 30_000;
const status = document.querySelector(".status");
const label = status.querySelector(".label");

const states = {
  operational: "operational",
  unavailable: "unavailable",
  unreachable: "not reachable",
};

async function ask() {
  try {
    const response = await fetch(status.href, { cache: "no-store" });
    await response.arrayBuffer();
    return response.ok ? "operational" : "unavailable";
  } catch {
    return "unreachable";
  }
}

async function refresh() {
  if (document.visibilityState === "visible") {
    const state = await ask();
    status.dataset.state = state;
    label.textContent = states[state];
  }
}

await refresh();
setInterval(refresh, intervalMs);
document.addEventListener("visibilitychange", refresh);
