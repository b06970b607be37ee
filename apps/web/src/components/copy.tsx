import { ActionIcon, Button, Group } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import { useEffect, useState } from 'react';

function useCopy(): { copied: boolean; copy: (text: string) => void } {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 2000);
    return () => clearTimeout(timer);
  }, [copied]);
  return { copied, copy: (text) => void copyText(text).then(setCopied) };
}

/** The clipboard API exists only on HTTPS and localhost; the old way serves the rest. */
async function copyText(text: string): Promise<boolean> {
  if (navigator.clipboard !== undefined) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // Refused: the old way may still be allowed.
    }
  }
  const area = document.createElement('textarea');
  area.value = text;
  area.style.position = 'fixed';
  area.style.opacity = '0';
  document.body.append(area);
  area.select();
  const done = document.execCommand('copy');
  area.remove();
  return done;
}

export function CopyIcon({ text, what }: { text: string; what: string }) {
  const { copied, copy } = useCopy();
  return (
    <>
      <ActionIcon
        variant="subtle"
        onClick={() => copy(text)}
        aria-label={`Copy ${what}`}
        title={`Copy ${what}`}
      >
        {copied ? <IconCheck size={16} aria-hidden="true" /> : <IconCopy size={16} aria-hidden="true" />}
      </ActionIcon>
      <Announce text={copied ? 'Copied' : ''} />
    </>
  );
}

export function CopyButton({ text, label }: { text: string; label: string }) {
  const { copied, copy } = useCopy();
  return (
    <>
      <Button
        variant="default"
        size="sm"
        leftSection={copied ? <IconCheck size={16} /> : <IconCopy size={16} />}
        onClick={() => copy(text)}
      >
        {label}
      </Button>
      <Announce text={copied ? 'Copied' : ''} />
    </>
  );
}

/** Said by a screen reader, not shown. */
export const Announce = ({ text }: { text: string }) => (
  <span
    role="status"
    aria-live="polite"
    style={{ position: 'absolute', width: 1, height: 1, overflow: 'hidden', clipPath: 'inset(50%)' }}
  >
    {text}
  </span>
);

export function CodeBlock({ code, what }: { code: string; what: string }) {
  return (
    <div style={{ position: 'relative', minWidth: 0 }}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <pre className="code" tabIndex={0} style={{ paddingRight: 52 }}>
        {code}
      </pre>
      <Group pos="absolute" top={6} right={6}>
        <CopyIcon text={code} what={what} />
      </Group>
    </div>
  );
}
