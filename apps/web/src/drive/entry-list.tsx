import '@mantine/core/styles/Checkbox.css';
import { ActionIcon, Checkbox, Menu, UnstyledButton } from '@mantine/core';
import {
  IconCopy,
  IconDots,
  IconDownload,
  IconFile,
  IconFolder,
  IconLink,
  IconPencil,
  IconTrash,
} from '@tabler/icons-react';
import { type KeyboardEvent, type ReactNode, useEffect, useRef, useState } from 'react';
import classes from './drive.module.css';
import { bytes, when } from './format.ts';
import type { DriveEntry } from './types.ts';

export type Act = 'open' | 'download' | 'rename' | 'copy' | 'move' | 'share' | 'delete';

const rowHeight = 44;
const headHeight = 40;
/** Beyond those in sight, so that scrolling never meets an empty place. */
const spare = 12;

interface ListProps {
  readonly entries: readonly DriveEntry[];
  readonly hasMore: boolean;
  readonly isFetching: boolean;
  readonly onMore: () => void;
  readonly selected: ReadonlySet<string>;
  readonly onSelect: (keys: ReadonlySet<string>) => void;
  readonly canWrite: boolean;
  readonly onAct: (act: Act, entry: DriveEntry) => void;
}

/** Rows in sight, of however many there are. Arrow keys, Home and End go from row to row; Tab goes on to what one can do with it. */
export function EntryList(props: ListProps) {
  const { entries, selected, onSelect } = props;
  const list = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(600);
  const [active, setActive] = useState(0);
  const wanted = useRef<number>(undefined);

  useEffect(() => {
    const element = list.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => setHeight(element.clientHeight));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  const first = Math.max(0, Math.floor(top / rowHeight) - spare);
  const last = Math.min(entries.length, Math.ceil((top + height) / rowHeight) + spare);
  const { hasMore, isFetching, onMore } = props;
  useEffect(() => {
    if (hasMore && !isFetching && last + spare >= entries.length) onMore();
  }, [hasMore, isFetching, onMore, last, entries.length]);

  // The row may have come into being only by scrolling to it.
  useEffect(() => {
    if (wanted.current === undefined) return;
    const name = list.current?.querySelector<HTMLElement>(`[data-index="${wanted.current}"] [data-name]`);
    if (name === null || name === undefined) return;
    wanted.current = undefined;
    name.focus({ preventScroll: true });
  });

  const goTo = (index: number): void => {
    const element = list.current;
    if (element === null || entries.length === 0) return;
    const to = Math.min(Math.max(index, 0), entries.length - 1);
    const from = to * rowHeight;
    if (from < element.scrollTop) element.scrollTop = from;
    else if (from + rowHeight + headHeight > element.scrollTop + element.clientHeight)
      element.scrollTop = from + rowHeight + headHeight - element.clientHeight;
    wanted.current = to;
    setActive(to);
    setTop(element.scrollTop);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (!(event.target instanceof HTMLElement) || event.target.dataset.name === undefined) return;
    const page = Math.max(1, Math.floor(height / rowHeight) - 1);
    const steps: Readonly<Record<string, number>> = {
      ...{ ArrowDown: active + 1, ArrowUp: active - 1, PageDown: active + page, PageUp: active - page },
      ...{ Home: 0, End: entries.length - 1 },
    };
    const to = steps[event.key];
    if (to === undefined) return;
    event.preventDefault();
    goTo(to);
  };
  const toggle = (key: string): void => {
    const next = new Set(selected);
    if (!next.delete(key)) next.add(key);
    onSelect(next);
  };
  const isAll = entries.length > 0 && selected.size === entries.length;

  return (
    // biome-ignore lint/a11y/useSemanticElements: rows that are placed by their number are no table of HTML
    <div
      ref={list}
      className={classes.list}
      role="table"
      aria-label="Files and folders"
      aria-rowcount={hasMore ? -1 : entries.length + 1}
      onScroll={(event) => setTop(event.currentTarget.scrollTop)}
      onKeyDown={onKeyDown}
    >
      <Row className={classes.head} label={1}>
        <Cell>
          <Checkbox
            size="xs"
            aria-label="Select all that are shown"
            checked={isAll}
            indeterminate={selected.size > 0 && !isAll}
            onChange={() => onSelect(isAll ? new Set() : new Set(entries.map(({ key }) => key)))}
          />
        </Cell>
        <Head>Name</Head>
        <Head className={classes.number}>Size</Head>
        <Head className={classes.date}>Changed</Head>
        <Head>
          <span className="visually-hidden">Actions</span>
        </Head>
      </Row>
      {/* biome-ignore lint/a11y/useSemanticElements: see above */}
      <div style={{ position: 'relative', height: entries.length * rowHeight }} role="rowgroup">
        {entries.slice(first, last).map((entry, offset) => {
          const index = first + offset;
          return (
            <EntryRow
              key={entry.key}
              entry={entry}
              index={index}
              isActive={index === Math.min(active, entries.length - 1)}
              isSelected={selected.has(entry.key)}
              canWrite={props.canWrite}
              onFocus={() => setActive(index)}
              onToggle={() => toggle(entry.key)}
              onAct={(act) => props.onAct(act, entry)}
            />
          );
        })}
      </div>
    </div>
  );
}

const Row = (props: { className?: string | undefined; label: number; children: ReactNode }) => (
  // biome-ignore lint/a11y/useSemanticElements: see above
  // biome-ignore lint/a11y/useFocusableInteractive: its cells are
  <div className={props.className} role="row" aria-rowindex={props.label}>
    {props.children}
  </div>
);
const Cell = (props: { className?: string | undefined; children: ReactNode }) => (
  // biome-ignore lint/a11y/useSemanticElements: see above
  <div role="cell" className={`${classes.cell} ${props.className ?? ''}`}>
    {props.children}
  </div>
);
const Head = (props: { className?: string | undefined; children: ReactNode }) => (
  // biome-ignore lint/a11y/useSemanticElements: see above
  // biome-ignore lint/a11y/useFocusableInteractive: nothing happens by it
  <div role="columnheader" className={`${classes.cell} ${props.className ?? ''}`}>
    {props.children}
  </div>
);

function EntryRow(props: {
  entry: DriveEntry;
  index: number;
  isActive: boolean;
  isSelected: boolean;
  canWrite: boolean;
  onFocus: () => void;
  onToggle: () => void;
  onAct: (act: Act) => void;
}) {
  const { entry, index, isActive, isSelected, onAct } = props;
  const isFolder = entry.kind === 'FOLDER';
  const Icon = isFolder ? IconFolder : IconFile;
  const tabIndex = isActive ? 0 : -1;
  return (
    // biome-ignore lint/a11y/useSemanticElements: see above
    // biome-ignore lint/a11y/useFocusableInteractive: its cells are
    <div
      className={`${classes.row} ${isSelected ? classes.selected : ''}`}
      style={{ top: index * rowHeight }}
      role="row"
      aria-rowindex={index + 2}
      data-index={index}
      onFocus={props.onFocus}
    >
      <Cell>
        <Checkbox
          size="xs"
          aria-label={`Select ${entry.name}`}
          checked={isSelected}
          onChange={props.onToggle}
          tabIndex={tabIndex}
        />
      </Cell>
      <Cell>
        <UnstyledButton
          className={classes.name}
          onClick={() => onAct('open')}
          title={entry.name}
          aria-label={isFolder ? `${entry.name}, folder` : entry.name}
          tabIndex={tabIndex}
          data-name=""
        >
          <Icon size={18} stroke={1.6} aria-hidden="true" style={{ flex: 'none' }} />
          <span>{entry.name}</span>
        </UnstyledButton>
      </Cell>
      <Cell className={classes.number}>{entry.size === undefined ? '' : bytes(entry.size)}</Cell>
      <Cell className={classes.date}>{entry.modifiedAt === undefined ? '' : when(entry.modifiedAt)}</Cell>
      <Cell>
        <EntryMenu entry={entry} canWrite={props.canWrite} tabIndex={tabIndex} onAct={onAct} />
      </Cell>
    </div>
  );
}

function EntryMenu(props: {
  entry: DriveEntry;
  canWrite: boolean;
  tabIndex: number;
  onAct: (act: Act) => void;
}) {
  const { entry, canWrite, onAct } = props;
  const isFile = entry.kind === 'OBJECT';
  return (
    <Menu position="bottom-end" withinPortal>
      <Menu.Target>
        <ActionIcon
          variant="subtle"
          color="gray"
          aria-label={`Actions for ${entry.name}`}
          tabIndex={props.tabIndex}
        >
          <IconDots size={18} aria-hidden="true" />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {isFile && (
          <Menu.Item
            leftSection={<IconDownload size={16} aria-hidden="true" />}
            onClick={() => onAct('download')}
          >
            Download
          </Menu.Item>
        )}
        {isFile && (
          <Menu.Item leftSection={<IconLink size={16} aria-hidden="true" />} onClick={() => onAct('share')}>
            Share by link
          </Menu.Item>
        )}
        <Menu.Item leftSection={<IconCopy size={16} aria-hidden="true" />} onClick={() => onAct('copy')}>
          Copy to
        </Menu.Item>
        {canWrite && (
          <>
            <Menu.Item
              leftSection={<IconFolder size={16} aria-hidden="true" />}
              onClick={() => onAct('move')}
            >
              Move to
            </Menu.Item>
            <Menu.Item
              leftSection={<IconPencil size={16} aria-hidden="true" />}
              onClick={() => onAct('rename')}
            >
              Rename
            </Menu.Item>
            <Menu.Item
              leftSection={<IconTrash size={16} aria-hidden="true" />}
              color="red"
              onClick={() => onAct('delete')}
            >
              Delete
            </Menu.Item>
          </>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
