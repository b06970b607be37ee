import { useState } from 'react';

/** The app's icon; without one, or where it cannot be shown, its first letter on a tile. Decorative: the title stands beside it. */
export function AppIcon({ app, size }: { app: { icon: string | null; title: string }; size: number }) {
  const [broken, setBroken] = useState('');
  if (app.icon === null || broken === app.icon) {
    return (
      <span
        className="app-icon app-icon-letter"
        style={{ width: size, height: size, fontSize: size * 0.45 }}
        aria-hidden="true"
      >
        {app.title.trim().charAt(0).toUpperCase() || '?'}
      </span>
    );
  }
  return (
    <img
      className="app-icon"
      src={app.icon}
      alt=""
      width={size}
      height={size}
      onError={() => setBroken(app.icon ?? '')}
    />
  );
}
