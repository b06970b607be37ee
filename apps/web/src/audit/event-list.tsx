import { Badge, Group, Text, Title, UnstyledButton } from '@mantine/core';
import { IconChevronDown, IconChevronRight } from '@tabler/icons-react';
import { useId, useState } from 'react';
import classes from './audit.module.css';
import { EventDetails, type OnFilter } from './event-details.tsx';
import type { AuditEvent } from './events.ts';
import { deedOf, problemOf, whatOf, whoOf } from './sentence.ts';

const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'full' });
const timeOfDay = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });

/** Newest first, a heading a day. */
export function EventList(props: { events: readonly AuditEvent[]; own: boolean; onFilter: OnFilter }) {
  const days = Map.groupBy(props.events, ({ eventTime }) => day.format(new Date(eventTime)));
  return [...days].map(([title, events]) => (
    <section key={title} aria-label={title}>
      <Title order={2} size="h6" c="dimmed" mb={6}>
        {title}
      </Title>
      <ul className={classes.list}>
        {events.map((event) => (
          <EventRow key={event.name} event={event} own={props.own} onFilter={props.onFilter} />
        ))}
      </ul>
    </section>
  ));
}

function EventRow({ event, own, onFilter }: { event: AuditEvent; own: boolean; onFilter: OnFilter }) {
  const [isOpen, setOpen] = useState(false);
  const details = useId();
  const problem = problemOf(event);
  const what = whatOf(event);
  const Chevron = isOpen ? IconChevronDown : IconChevronRight;
  return (
    <li className={classes.row}>
      <UnstyledButton
        className={classes.summary}
        aria-expanded={isOpen}
        aria-controls={details}
        onClick={() => setOpen(!isOpen)}
      >
        <Chevron size={16} aria-hidden="true" className={classes.chevron} />
        <time dateTime={event.eventTime} className={classes.time}>
          {timeOfDay.format(new Date(event.eventTime))}
        </time>
        <span className={classes.sentence}>
          <Text component="span" fw={600} className="break">
            {own ? 'You' : whoOf(event)}
          </Text>{' '}
          <span>{deedOf(event)}</span>
          {what !== '' && (
            <Text component="span" c="dimmed" className="break">
              {' · '}
              {what}
            </Text>
          )}
          {problem !== undefined && (
            <Text component="span" size="sm" className={classes.problem}>
              {problem}
            </Text>
          )}
        </span>
        <Group gap={6} className={classes.badges}>
          {event.readOnly && (
            <Badge variant="light" color="gray" tt="none" size="sm">
              Read
            </Badge>
          )}
          {problem !== undefined && (
            <Badge variant="light" color="red" tt="none" size="sm">
              {event.status?.code === 7 || event.status?.code === 16 ? 'Refused' : 'Failed'}
            </Badge>
          )}
        </Group>
      </UnstyledButton>
      <div id={details} hidden={!isOpen}>
        {isOpen && <EventDetails event={event} own={own} onFilter={onFilter} />}
      </div>
    </li>
  );
}
