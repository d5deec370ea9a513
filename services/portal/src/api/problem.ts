// What can go wrong with a request, in one shape: problem+json as the server sends it, or made
// here when no answer came.
import { lang } from '../text/lang';
import { t, tOf } from '../text/messages';

export interface FieldError {
  pointer?: string;
  parameter?: string;
  code: string;
  /** What is wrong, and after it what to do about it. */
  detail: string;
}

export interface Problem {
  title: string;
  status: number;
  detail: string;
  cure: string;
  code: string;
  errors: FieldError[];
  /** In the queue for signing in, and the seconds until one's turn. */
  place?: number;
  wait_s?: number;
}

export class ApiError extends Error {
  constructor(
    readonly problem: Problem,
    /** Seconds after which another try makes sense, 0 when unknown. */
    readonly retryAfter = 0,
  ) {
    super(`${problem.status} ${problem.code}`);
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;
const textOf = (value: unknown, otherwise = ''): string =>
  typeof value === 'string' ? value : otherwise;

const sentences = (...texts: string[]): string => texts.filter(Boolean).join(lang() === 'ja' ? '' : ' ');

const stateName = (_: string, open: string, name: string, close: string): string =>
  open + tOf('status', name) + close;

/** Any JSON an error answer may hold (or none) as a problem that can be shown. */
export function problemOf(body: unknown, status: number): Problem {
  const given = isRecord(body) ? body : {};
  const errors = Array.isArray(given['errors']) ? given['errors'].filter(isRecord) : [];
  const detail = textOf(given['detail'], t(status >= 500 ? 'try_later' : 'failed_detail'));
  return {
    title: textOf(given['title'], t('failed')),
    status,
    // The state of an application is quoted by its name in the contract.
    detail: given['code'] === 'application_state' ? detail.replace(/([「"])(\w+)([」"])/, stateName) : detail,
    cure: textOf(given['cure']),
    code: textOf(given['code'], 'unknown'),
    ...(typeof given['place'] === 'number' ? { place: given['place'] } : {}),
    ...(typeof given['wait_s'] === 'number' ? { wait_s: given['wait_s'] } : {}),
    errors: errors.map((error) => ({
      ...(typeof error['pointer'] === 'string' ? { pointer: error['pointer'] } : {}),
      ...(typeof error['parameter'] === 'string' ? { parameter: error['parameter'] } : {}),
      code: textOf(error['code']),
      detail: sentences(textOf(error['detail']), textOf(error['cure'])),
    })),
  };
}

/** What no server said: it never answered, or not yet. */
const own = (code: 'no_answer' | 'late_answer' | 'still_working', status: number): ApiError =>
  new ApiError({ title: t(code), status, detail: t(`${code}_detail`), cure: '', code, errors: [] });

/** A failure without an answer: no network, or the answer was cut off. */
export const noAnswer = (): ApiError => own('no_answer', 0);

/** The request went out, and we waited long enough. */
export const lateAnswer = (): ApiError => own('late_answer', 0);

/** Accepted, but not finished while this page waited. */
export const stillWorking = (): ApiError => own('still_working', 202);

export function errorOf(cause: unknown): ApiError {
  if (cause instanceof ApiError) return cause;
  return new ApiError(problemOf({ title: t('failed'), detail: t('failed_detail') }, 0));
}

/** '/lines/0/half_units' -> 'lines-0-half_units', the id of the field on the page. */
export function fieldOfPointer(pointer: string): string {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replace(/~1/g, '/').replace(/~0/g, '~'))
    .join('-');
}
