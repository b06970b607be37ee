import { useEffect, useState } from 'react';

/**
 * Gives the focus back to what opened a dialog. Mantine does so when `opened` changes, but not for a dialog that is only there while it
 * is open: without this, who works by keyboard starts again at the top of the page.
 */
export function useReturnFocus(): void {
  const [opener] = useState(openerOfNow);
  useEffect(
    () => () => {
      // Afterwards, because the dialog still holds the focus while it goes.
      setTimeout(() => {
        const nowhere = document.activeElement === null || document.activeElement === document.body;
        if (nowhere && opener instanceof HTMLElement) opener.focus({ preventScroll: true });
      });
    },
    [opener],
  );
}

/** A menu's entry is gone when the dialog closes; its menu's button is what stays. */
function openerOfNow(): Element | null {
  const active = document.activeElement;
  const button = active?.closest('[role=menu]')?.getAttribute('aria-labelledby');
  return button ? document.getElementById(button) : active;
}
