import { Anchor } from '@mantine/core';
import { Link } from 'react-router';
import { PageHeader } from '../components/page-header.tsx';
import { TokenList } from './token-list.tsx';

export const TokensPage = () => (
  <>
    <PageHeader
      title="Sessions & tokens"
      hint={
        <>
          Where you are signed in, and the tokens that act for you.{' '}
          <Anchor component={Link} to="/cli-and-api-access" underline="always" size="sm">
            Get a token
          </Anchor>
        </>
      }
    />
    <TokenList label="Sessions and tokens" />
  </>
);
