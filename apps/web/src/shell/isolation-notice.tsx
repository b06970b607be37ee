import { Alert, List, Text } from '@mantine/core';
import { useState } from 'react';
import { useMe } from '../api/queries.ts';

const storageKey = 'haic-isolation-notice-read';

const readBefore = (text: string): boolean => {
  try {
    return localStorage.getItem(storageKey) === text;
  } catch {
    return false;
  }
};

/** Says what is wrong with what apps run on, for as long as it is. */
export function TroubleNotice() {
  const trouble = useMe().data?.isolation.trouble;
  if (trouble === undefined) return null;
  return (
    <Alert variant="outline" className="notice" title="Apps cannot be started or changed just now" mb="lg">
      <Text size="sm">
        {trouble.what} {trouble.remedy}
      </Text>
    </Alert>
  );
}

/** Says plainly what this installation cannot keep apart. Dismissed for good, until the list changes. */
export function IsolationNotice() {
  const me = useMe();
  const missing = me.data?.isolation.missing ?? [];
  const text = missing.map((item) => item.what).join('\n');
  const [dismissed, setDismissed] = useState('');
  if (text === '' || dismissed === text || readBefore(text)) return null;

  const dismiss = (): void => {
    setDismissed(text);
    try {
      localStorage.setItem(storageKey, text);
    } catch {
      // Then the notice is back on the next visit.
    }
  };
  return (
    <Alert
      variant="outline"
      className="notice"
      title="How far apps are kept apart here"
      withCloseButton
      closeButtonLabel="Dismiss this notice"
      onClose={dismiss}
      mb="lg"
    >
      <Text size="sm">Run only apps that you trust: on this installation the following is missing.</Text>
      <List size="sm" mt={4}>
        {missing.map((item) => (
          <List.Item key={item.what}>
            {item.what} {item.remedy}
          </List.Item>
        ))}
      </List>
    </Alert>
  );
}
