/**
 * The pattern of LIKE that every text has in it which an expression of RE2 finds, when that is nothing but text: part of a name, as people type it.
 * Undefined for every other expression. It only sorts out what cannot match; whether something does, the expression says.
 */
export function likeOf(source: string): string | undefined {
  const [, flag = '', text = ''] = /^(\(\?i\))?(.*)$/s.exec(source) ?? [];
  let like = '';
  for (let at = 0; at < text.length; at += 1) {
    let sign = text[at] ?? '';
    if (sign === '\\') {
      at += 1;
      sign = text[at] ?? '';
      if (!/[^\p{L}\p{N}]/u.test(sign)) return undefined;
    } else if (/[\^$.*+?()[\]{}|]/.test(sign)) return undefined;
    like += signOf(sign, flag !== '');
  }
  return like === '' ? undefined : `%${like}%`;
}

function signOf(sign: string, ignoresCase: boolean): string {
  // RE2 and PostgreSQL fold the case of other letters differently; of k and s there is a third form.
  if (ignoresCase && !/[ -~]/.test(sign)) return '%';
  if (ignoresCase && /[ks]/i.test(sign)) return '_';
  return /[%_\\]/.test(sign) ? `\\${sign}` : sign;
}
