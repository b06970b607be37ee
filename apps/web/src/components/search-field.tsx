import { CloseButton, TextInput } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';
import { useSearchParams } from 'react-router';

const debounceMilliseconds = 250;

/** What is searched for lives in the address (`?q=`), so a search can be linked to and survives a reload. */
export function useSearchParam(): string {
  const [parameters] = useSearchParams();
  return parameters.get('q') ?? '';
}

export function SearchField({ label }: { label: string }) {
  const [parameters, setParameters] = useSearchParams();
  const inAddress = parameters.get('q') ?? '';
  const [typed, setTyped] = useState(inAddress);
  const input = useRef<HTMLInputElement>(null);

  // Back, forward, or a link changed the address: show that, unless somebody types right now.
  useEffect(() => {
    if (document.activeElement !== input.current) setTyped(inAddress);
  }, [inAddress]);

  useEffect(() => {
    if (typed.trim() === inAddress) return;
    const timer = setTimeout(() => {
      setParameters(
        () => {
          // Not what the last render saw: what was chosen since then would be undone.
          const next = new URLSearchParams(window.location.search);
          if (typed.trim() === '') next.delete('q');
          else next.set('q', typed.trim());
          return next;
        },
        { replace: true },
      );
    }, debounceMilliseconds);
    return () => clearTimeout(timer);
  }, [typed, inAddress, setParameters]);

  return (
    <TextInput
      ref={input}
      type="search"
      aria-label={label}
      placeholder={label}
      value={typed}
      onChange={(event) => setTyped(event.currentTarget.value)}
      leftSection={<IconSearch size={16} aria-hidden="true" />}
      rightSection={
        typed === '' ? null : (
          <CloseButton
            size="sm"
            aria-label="Clear the search"
            onClick={() => {
              setTyped('');
              input.current?.focus();
            }}
          />
        )
      }
      w="100%"
      maw={420}
    />
  );
}
