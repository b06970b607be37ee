/** 1.4 GB: decimal, as disks are sold and quotas are understood. */
export function bytes(count: number): string {
  if (count < 1000) return `${count} B`;
  let value = count;
  for (const unit of ['kB', 'MB', 'GB', 'TB', 'PB']) {
    value /= 1000;
    if (value < 999.5) return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${unit}`;
  }
  return `${Math.round(value)} PB`;
}

const moment = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
export const when = (iso: string): string => moment.format(new Date(iso));

const number = new Intl.NumberFormat();
export const count = (value: number): string => number.format(value);

export const nameOf = (key: string): string => key.replace(/\/$/, '').split('/').at(-1) ?? key;
export const folderOf = (key: string): string => key.slice(0, key.replace(/\/$/, '').lastIndexOf('/') + 1);
