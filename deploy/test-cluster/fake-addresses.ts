import { network } from './layout.ts';

/** Addresses of fake pods, each given to one of them at a time. */
export interface FakeAddresses {
  /** Gives the pod one; the same, while it has it. Throws when there are no more. */
  take(pod: string): string;
  /** It has this one already, by somebody who was here before. */
  has(pod: string, address: string): void;
  giveBack(pod: string): void;
  /** Whose it is. */
  podAt(address: string): string | undefined;
}

const [first = 0, second = 0] = network.fakePods.split('.').map(Number);

export function createFakeAddresses(): FakeAddresses {
  const addresses = new Map<string, string>();
  const pods = new Map<string, string>();
  const returned: string[] = [];
  let next = 0;

  function free(): string {
    for (;;) {
      const again = returned.shift();
      if (again !== undefined) return again;
      next += 1;
      const [third, fourth] = [Math.floor(next / 254), (next % 254) + 1];
      if (third > 255) throw new Error('There are no more addresses for fake pods.');
      const address = `${first}.${second}.${third}.${fourth}`;
      if (!pods.has(address)) return address;
    }
  }

  const has = (pod: string, address: string) => {
    addresses.set(pod, address);
    pods.set(address, pod);
  };
  return {
    take(pod) {
      const address = addresses.get(pod) ?? free();
      has(pod, address);
      return address;
    },
    has,
    giveBack(pod) {
      const address = addresses.get(pod);
      if (address === undefined) return;
      addresses.delete(pod);
      pods.delete(address);
      returned.push(address);
    },
    podAt: (address) => pods.get(address),
  };
}
