import { CloseButton } from '@mantine/core';
import { dismissNotice, type KeptNotice } from '../components/kept-notices.ts';
import { ProblemNotice } from '../components/problem-notice.tsx';
import classes from './notice-stack.module.css';

/** In the corner, above whatever page is open. */
export function NoticeStack({ notices }: { notices: readonly KeptNotice[] }) {
  return (
    <section className={classes.stack} aria-label="What went wrong meanwhile">
      {notices.map(({ id, title, error }) => (
        <div key={id} className={classes.notice}>
          <ProblemNotice title={title} error={error} />
          <CloseButton
            className={classes.close}
            aria-label={`Put away: ${title}`}
            onClick={() => dismissNotice(id)}
          />
        </div>
      ))}
    </section>
  );
}
