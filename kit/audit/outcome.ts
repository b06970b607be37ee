/** `google.rpc.Code` of an answer that was a refusal. */
const codes: Readonly<Record<number, number>> = {
  400: 3,
  401: 16,
  403: 7,
  404: 5,
  409: 10,
  412: 9,
  429: 8,
  501: 12,
  503: 14,
  504: 4,
  507: 8,
};

/** `answer` is problem JSON, or anything. */
export function statusOfHttp(status: number, answer: unknown): { code: number; message: string } {
  const code = codes[status] ?? (status < 500 ? 3 : 13);
  if (typeof answer !== 'object' || answer === null) return { code, message: `HTTP ${status}` };
  const name = 'code' in answer && typeof answer.code === 'string' ? answer.code : `HTTP ${status}`;
  const detail = 'detail' in answer && typeof answer.detail === 'string' ? `: ${answer.detail}` : '';
  const isTaken = status === 409 && /(^|_)(exists|taken)$/.test(name);
  return { code: isTaken ? 6 : code, message: `${name}${detail}` };
}
