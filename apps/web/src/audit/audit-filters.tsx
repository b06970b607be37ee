import { Button, Group, Menu, Stack, TextInput } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { Chips, Choice } from '../admin/filters.tsx';
import { SearchField } from '../components/search-field.tsx';
import { type AuditFilter, exportAddress } from './events.ts';
import { deedOf, kinds } from './sentence.ts';
import { ranges, type useAuditFilter } from './use-audit-filter.ts';

type Filters = ReturnType<typeof useAuditFilter>;

export function AuditFilters({ filters, personName }: { filters: Filters; personName: string }) {
  const { get, set } = filters;
  const isCustom = get('range') === 'custom';
  const action = get('action');
  return (
    <Stack gap="sm">
      <Group gap="sm">
        <div style={{ flex: '1 1 240px', maxWidth: 420 }}>
          <SearchField label="Search by what it was done to" />
        </div>
        <Choice
          label="When"
          value={get('range')}
          onChange={(range) => set(range === 'custom' ? { range } : { range, from: '', to: '' })}
          options={[...ranges, { value: 'custom', label: 'From … to …' }]}
        />
        <Choice
          label="What"
          value={get('kind')}
          onChange={(kind) => set({ kind, action: '' })}
          options={kinds}
        />
        <Choice
          label="Outcome"
          value={get('outcome')}
          onChange={(outcome) => set({ outcome })}
          options={[
            { value: 'done', label: 'Done' },
            { value: 'failed', label: 'Refused or failed' },
          ]}
        />
        <Choice
          label="Reads"
          value={get('reads')}
          onChange={(reads) => set({ reads })}
          options={[{ value: 'no', label: 'Changes only' }]}
        />
      </Group>
      {isCustom && (
        <Group gap="sm">
          {(['from', 'to'] as const).map((end) => (
            <TextInput
              key={end}
              type="datetime-local"
              label={end === 'from' ? 'From' : 'To'}
              value={get(end)}
              onChange={(change) => set({ [end]: change.currentTarget.value })}
            />
          ))}
        </Group>
      )}
      <Chips
        chips={[
          {
            label: 'Who',
            value: get('principal') === '' ? '' : personName,
            onClear: () => set({ principal: '' }),
          },
          {
            label: 'Only',
            value: action === '' ? '' : deedOf({ action }),
            onClear: () => set({ action: '' }),
          },
        ]}
      />
    </Stack>
  );
}

export function ExportMenu({ filter }: { filter: AuditFilter }) {
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Button variant="default" leftSection={<IconDownload size={16} aria-hidden="true" />}>
          Export
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item component="a" href={exportAddress(filter, 'csv')} download>
          As a table (CSV)
        </Menu.Item>
        <Menu.Item component="a" href={exportAddress(filter, 'ndjson')} download>
          As JSON, a line an event
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
