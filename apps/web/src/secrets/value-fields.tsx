import { ActionIcon, Button, FileButton, Group, Text, Textarea, TextInput } from '@mantine/core';
import { IconEye, IconEyeOff, IconFile, IconPlus, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import classes from './masked.module.css';
import { emptyRow, problemOfRow, readFileValue, type ValueRow } from './values.ts';

/** Keys and their values, as many as one wants. What a key holds already is never here: it stays, or is typed anew. */
export function ValueFields(props: {
  rows: readonly ValueRow[];
  onChange: (rows: readonly ValueRow[]) => void;
  /** Whether to say what is wrong with what is not finished. */
  tried: boolean;
  disabled: boolean;
  /** What has one value has no keys to choose. */
  only?: 'value';
}) {
  const { rows, onChange } = props;
  const change = (row: ValueRow) => onChange(rows.map((one) => (one.id === row.id ? row : one)));
  const nextId = Math.max(0, ...rows.map(({ id }) => id)) + 1;
  if (props.only !== undefined)
    return rows.map((row) => (
      <fieldset key={row.id} className={classes.plain} disabled={props.disabled}>
        <Text component="legend" size="sm" fw={500} mb={4}>
          Value
        </Text>
        <Value row={row} number={1} onChange={change} />
      </fieldset>
    ));
  return (
    <fieldset className={classes.plain} disabled={props.disabled}>
      <Text component="legend" size="sm" fw={500} mb={4}>
        Keys and values
      </Text>
      <div style={{ display: 'grid', gap: 8 }}>
        {rows.map((row, index) => (
          <ValueField
            key={row.id}
            row={row}
            number={index + 1}
            problem={props.tried || row.key !== '' ? problemOfRow(row, rows) : undefined}
            onChange={change}
            onRemove={rows.length === 1 ? undefined : () => onChange(rows.filter(({ id }) => id !== row.id))}
          />
        ))}
      </div>
      <Button
        mt="sm"
        size="xs"
        variant="default"
        leftSection={<IconPlus size={14} aria-hidden="true" />}
        onClick={() => onChange([...rows, emptyRow(nextId)])}
      >
        Add a key
      </Button>
    </fieldset>
  );
}

function ValueField(props: {
  row: ValueRow;
  number: number;
  problem: string | undefined;
  onChange: (row: ValueRow) => void;
  onRemove: (() => void) | undefined;
}) {
  const { row, number, onChange } = props;
  return (
    <div className={classes.row}>
      <TextInput
        aria-label={`Key ${number}`}
        placeholder="key"
        value={row.key}
        onChange={(event) => onChange({ ...row, key: event.currentTarget.value, kept: false })}
        error={props.problem}
        readOnly={row.kept}
        autoComplete="off"
        spellCheck={false}
        data-autofocus={number === 1 && row.key === '' ? true : undefined}
      />
      <Value row={row} number={number} onChange={onChange} />
      <ActionIcon
        variant="default"
        size="lg"
        aria-label={`Remove key ${number}`}
        disabled={props.onRemove === undefined}
        onClick={props.onRemove}
      >
        <IconTrash size={16} aria-hidden="true" />
      </ActionIcon>
    </div>
  );
}

function Value(props: { row: ValueRow; number: number; onChange: (row: ValueRow) => void }) {
  const { row, number, onChange } = props;
  const [shown, setShown] = useState(false);
  if (row.kept)
    return (
      <Group gap="xs" mih={36}>
        <Text size="sm" c="dimmed">
          stays as it is
        </Text>
        <Button size="xs" variant="default" onClick={() => onChange({ ...row, kept: false })}>
          Replace value {number}
        </Button>
      </Group>
    );
  if (row.file !== undefined)
    return (
      <Group gap="xs" mih={36}>
        <Text size="sm" className="break">
          from {row.file.name}
        </Text>
        <Button size="xs" variant="default" onClick={() => onChange({ ...row, file: undefined })}>
          Type value {number} instead
        </Button>
      </Group>
    );
  return (
    <Textarea
      className={shown ? classes.shown : classes.masked}
      aria-label={`Value ${number}`}
      placeholder="value"
      value={row.text}
      onChange={(event) => onChange({ ...row, text: event.currentTarget.value })}
      autosize
      minRows={1}
      maxRows={6}
      autoComplete="off"
      spellCheck={false}
      rightSectionWidth={68}
      rightSection={
        <Group gap={2} wrap="nowrap">
          <FileButton onChange={(file) => void take(file, row, onChange)}>
            {(button) => (
              <ActionIcon
                {...button}
                variant="subtle"
                aria-label={`Value ${number} from a file`}
                title="From a file"
              >
                <IconFile size={16} aria-hidden="true" />
              </ActionIcon>
            )}
          </FileButton>
          <ActionIcon
            variant="subtle"
            aria-label={shown ? `Hide value ${number}` : `Show value ${number}`}
            aria-pressed={shown}
            onClick={() => setShown(!shown)}
          >
            {shown ? <IconEyeOff size={16} aria-hidden="true" /> : <IconEye size={16} aria-hidden="true" />}
          </ActionIcon>
        </Group>
      }
    />
  );
}

async function take(file: File | null, row: ValueRow, onChange: (row: ValueRow) => void): Promise<void> {
  if (file !== null) onChange({ ...row, file: await readFileValue(file), text: '' });
}
