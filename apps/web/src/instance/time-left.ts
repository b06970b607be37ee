/** "in 7 h 12 min", "in 43 min", "any moment": as rough as it may be, so that nothing flickers. */
export function timeLeft(seconds: number): string {
  if (seconds <= 0) return 'any moment';
  const minutes = Math.max(1, Math.round(seconds / 60));
  if (minutes < 60) return `in ${minutes} min`;
  return `in ${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}
