/** Haic's mark: an h whose shoulder is a wave, on a yellow tile. */
export const LogoTile = ({ size = 28 }: { size?: number }) => (
  <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" focusable="false">
    <rect width="32" height="32" rx="7" fill="#ffd33d" />
    <path
      d="M9 7v18M9 18c0-3.6 2.2-5.6 5-5.6s4.6 1.9 4.6 5.2V25"
      fill="none"
      stroke="#141414"
      strokeWidth="3.4"
      strokeLinecap="round"
    />
    <circle cx="24" cy="9" r="2.6" fill="#141414" />
  </svg>
);

export const Wordmark = ({ size = 28 }: { size?: number }) => (
  <span style={{ display: 'inline-flex', alignItems: 'center', gap: size / 3 }}>
    <LogoTile size={size} />
    <span style={{ fontWeight: 700, fontSize: size * 0.7, letterSpacing: '-0.02em' }}>haic</span>
  </span>
);
