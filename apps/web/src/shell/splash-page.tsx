import { Center } from '@mantine/core';
import { LogoTile } from './logo.tsx';

/** Before it is known who is there. Goes on by itself: the connection banner keeps asking. */
export const SplashPage = () => (
  <Center mih="100dvh" component="main" aria-busy="true" aria-label="Haic is loading">
    <LogoTile size={56} />
  </Center>
);
