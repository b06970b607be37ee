import { Alert, Text } from '@mantine/core';
import { ApiError, bundleProblemsOf, titleOf } from '../api/problem.ts';
import { ProblemNotice } from '../components/problem-notice.tsx';

/** Everything that is wrong with a bundle, at once: whoever repairs it should not have to come back for the next complaint. */
export function BundleProblems({ error }: { error: unknown }) {
  const problems = bundleProblemsOf(error);
  if (problems.length === 0) return <ProblemNotice error={error} />;
  const requestId = error instanceof ApiError ? error.requestId : undefined;
  return (
    <Alert variant="outline" className="notice problem" role="alert" title={titleOf(error)}>
      <Text size="sm">
        {problems.length === 1
          ? 'One thing must be put right.'
          : `${problems.length} things must be put right.`}
      </Text>
      <ol style={{ margin: '10px 0 0', paddingLeft: 20 }} aria-label="Problems of the bundle">
        {problems.map((problem) => (
          <li key={`${problem.file} ${problem.key} ${problem.message}`} style={{ marginBottom: 10 }}>
            {(problem.file !== undefined || problem.key !== undefined) && (
              <Text size="sm" component="div" className="break">
                {problem.file !== undefined && <code>{problem.file}</code>}
                {problem.file !== undefined && problem.key !== undefined && ' · '}
                {problem.key !== undefined && <code>{problem.key}</code>}
              </Text>
            )}
            <Text size="sm" fw={600} className="break">
              {problem.message}
            </Text>
            {problem.remedy !== undefined && (
              <Text size="sm" c="dimmed" className="break">
                {problem.remedy}
              </Text>
            )}
          </li>
        ))}
      </ol>
      {requestId !== undefined && (
        <Text size="xs" c="dimmed" className="break">
          Request {requestId}
        </Text>
      )}
    </Alert>
  );
}
