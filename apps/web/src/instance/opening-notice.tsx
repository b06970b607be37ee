import { Button, Group, Loader, Text } from '@mantine/core';
import { useEffect } from 'react';

const noticeMilliseconds = 1500;

/** A short word before the page is left, so that nobody is carried away without knowing, and can stay. */
export function OpeningNotice(props: {
  title: string;
  href: string;
  onLeave: () => void;
  onStay: () => void;
}) {
  const { href, onLeave } = props;
  useEffect(() => {
    const timer = setTimeout(() => {
      // First forget the wish, so that the browser's Back leads here and not straight on again.
      onLeave();
      location.assign(href);
    }, noticeMilliseconds);
    return () => clearTimeout(timer);
  }, [href, onLeave]);
  return (
    <Group className="panel" p="md" gap="md" role="status" style={{ borderColor: 'var(--haic-ok)' }}>
      <Loader size="sm" color="var(--haic-ok)" aria-hidden="true" />
      <Text fw={600} style={{ flex: 1 }}>
        Opening {props.title}…
      </Text>
      <Button variant="default" size="xs" onClick={props.onStay}>
        Stay here
      </Button>
    </Group>
  );
}
