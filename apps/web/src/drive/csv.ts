/**
 * Rows of CSV (RFC 4180), with the separator that the first line has most of. Of a text that was cut off, `isWhole` false leaves out the last row,
 * of which nobody knows whether it is one.
 */
export function parseCsv(
  text: string,
  options: { readonly isWhole: boolean; readonly mostRows: number },
): string[][] {
  const content = text.replace(/^\uFEFF/, '');
  const separator = separatorOf(content.slice(0, (content.indexOf('\n') + 1 || content.length + 1) - 1));
  const rows: string[][] = [];
  let row: string[] = [];
  let field = '';
  let quoted = false;
  for (let i = 0; i < content.length && rows.length < options.mostRows; i += 1) {
    const sign = content[i] ?? '';
    if (quoted) {
      if (sign !== '"') field += sign;
      else if (content[i + 1] === '"') {
        field += '"';
        i += 1;
      } else quoted = false;
    } else if (sign === '"' && field === '') quoted = true;
    else if (sign === separator) {
      row.push(field);
      field = '';
    } else if (sign === '\n') {
      rows.push([...row, field.replace(/\r$/, '')]);
      row = [];
      field = '';
    } else field += sign;
  }
  if (options.isWhole && rows.length < options.mostRows && (field !== '' || row.length > 0))
    rows.push([...row, field]);
  return rows.filter((cells) => cells.length > 1 || cells[0] !== '');
}

function separatorOf(line: string): string {
  const counts = [',', ';', '\t', '|'].map((sign) => ({ sign, count: line.split(sign).length }));
  return counts.reduce((best, next) => (next.count > best.count ? next : best)).sign;
}
