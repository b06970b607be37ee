import { ActionIcon, Group, Modal, Text } from '@mantine/core';
import { IconChevronLeft, IconChevronRight } from '@tabler/icons-react';
import { useRef, useState } from 'react';

/** A strip that scrolls by hand, wheel, arrow keys or buttons; a screenshot opens large. */
export function Screenshots({ title, urls }: { title: string; urls: readonly string[] }) {
  const strip = useRef<HTMLDivElement>(null);
  const [large, setLarge] = useState<number>();

  const step = (by: 1 | -1): void => {
    const shots = [...(strip.current?.querySelectorAll<HTMLButtonElement>('.shot') ?? [])];
    const left = strip.current?.getBoundingClientRect().left ?? 0;
    const current = shots.findIndex((shot) => shot.getBoundingClientRect().right - left > 40);
    const next = shots[Math.min(Math.max(current + by, 0), shots.length - 1)];
    next?.scrollIntoView({ block: 'nearest', inline: 'start' });
    if (strip.current?.contains(document.activeElement)) next?.focus({ preventScroll: true });
  };

  return (
    <section aria-label="Screenshots" aria-roledescription="carousel">
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the keys are a shortcut; each screenshot is a button of its own */}
      <div
        ref={strip}
        className="shots"
        onKeyDown={(event) => {
          if (event.key !== 'ArrowRight' && event.key !== 'ArrowLeft') return;
          event.preventDefault();
          step(event.key === 'ArrowRight' ? 1 : -1);
        }}
      >
        {urls.map((url, index) => (
          <button
            key={url}
            type="button"
            className="shot"
            onClick={() => setLarge(index)}
            aria-label={`Screenshot ${index + 1} of ${urls.length}, show large`}
          >
            <img src={url} alt="" loading={index === 0 ? 'eager' : 'lazy'} />
          </button>
        ))}
      </div>
      {urls.length > 1 && (
        <Group justify="flex-end" gap="xs" mt="xs">
          <ActionIcon variant="default" size="lg" onClick={() => step(-1)} aria-label="Previous screenshot">
            <IconChevronLeft size={18} />
          </ActionIcon>
          <ActionIcon variant="default" size="lg" onClick={() => step(1)} aria-label="Next screenshot">
            <IconChevronRight size={18} />
          </ActionIcon>
        </Group>
      )}
      {large !== undefined && (
        <LargeShot
          title={title}
          urls={urls}
          index={large}
          onMove={setLarge}
          onClose={() => setLarge(undefined)}
        />
      )}
    </section>
  );
}

function LargeShot(props: {
  title: string;
  urls: readonly string[];
  index: number;
  onMove: (index: number) => void;
  onClose: () => void;
}) {
  const { urls, index } = props;
  const move = (by: number): void => props.onMove((index + by + urls.length) % urls.length);
  return (
    <Modal
      opened
      onClose={props.onClose}
      size="xl"
      centered
      title={`${props.title}, screenshot ${index + 1} of ${urls.length}`}
      onKeyDown={(event) => {
        if (event.key === 'ArrowRight') move(1);
        if (event.key === 'ArrowLeft') move(-1);
      }}
    >
      <img
        src={urls[index]}
        alt={`Screenshot ${index + 1} of ${props.title}`}
        style={{ width: '100%', maxHeight: '70vh', objectFit: 'contain' }}
      />
      {urls.length > 1 && (
        <Group justify="space-between" mt="sm">
          <ActionIcon variant="default" size="lg" onClick={() => move(-1)} aria-label="Previous screenshot">
            <IconChevronLeft size={18} />
          </ActionIcon>
          <Text size="sm" c="dimmed">
            Arrow keys move on
          </Text>
          <ActionIcon variant="default" size="lg" onClick={() => move(1)} aria-label="Next screenshot">
            <IconChevronRight size={18} />
          </ActionIcon>
        </Group>
      )}
    </Modal>
  );
}
