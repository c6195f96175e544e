/** Whether somebody has used the page since it was loaded. `navigator.userActivation` remembers it across a reload. */
let isUsed = false;
for (const type of ["pointerdown", "keydown"]) {
  addEventListener(
    type,
    () => {
      isUsed = true;
    },
    { once: true, capture: true },
  );
}

/** Gives the focus to the page if what had it is gone: a link that was followed, a button of something that was deleted. */
export function focusPageIfLost(): void {
  // React Aria gives the focus of a dialog back in the frame after it.
  requestAnimationFrame(() => {
    const isLost = document.activeElement === document.body;
    // Somebody who has only just opened the console begins before the navigation.
    if (isLost && isUsed) {
      document.getElementById("content")?.focus({ preventScroll: true });
    }
  });
}
