import { Text, UnstyledButton } from '@mantine/core';
import { IconChevronRight } from '@tabler/icons-react';
import classes from './drive.module.css';
import { nameOf } from './format.ts';

/** The way to a folder; each step leads there. */
export function Crumbs(props: { root: string; folder: string; onFolder: (folder: string) => void }) {
  const steps = stepsOf(props.folder);
  return (
    <nav aria-label="Folder">
      <ol className={classes.crumbs}>
        {[{ key: '', name: props.root }, ...steps].map(({ key, name }, index) => (
          <li key={key}>
            {index > 0 && <IconChevronRight size={14} aria-hidden="true" />}
            {index === steps.length ? (
              <Text component="span" fw={600} size="sm" className={classes.crumb} aria-current="page">
                {name}
              </Text>
            ) : (
              <UnstyledButton className={classes.crumb} fz="sm" onClick={() => props.onFolder(key)}>
                {name}
              </UnstyledButton>
            )}
          </li>
        ))}
      </ol>
    </nav>
  );
}

function stepsOf(folder: string): { key: string; name: string }[] {
  const steps: { key: string; name: string }[] = [];
  for (let end = folder.indexOf('/'); end >= 0; end = folder.indexOf('/', end + 1)) {
    const key = folder.slice(0, end + 1);
    steps.push({ key, name: nameOf(key) });
  }
  return steps;
}
