// Signing in when many do: waits for one's turn, then goes in. The place is a cookie that the server
// set; what was typed stays in this page meanwhile.
import { call } from './client';
import { ApiError } from './problem';

export interface Place {
  place: number;
  wait_s: number;
}

/** A place is good for two hours. */
const WAIT_MAX_MS = 2 * 60 * 60_000;
const AGAIN_MAX_S = 60;

const pause = (seconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

/** Comes back when it is one's turn. No network for a while costs nothing: the place is kept. */
async function turn(first: ApiError, tell: (place: Place) => void, until: number): Promise<void> {
  let place: Place = { place: first.problem.place ?? 1, wait_s: first.problem.wait_s ?? 1 };
  let seconds = Math.max(first.retryAfter, 1);
  while (Date.now() < until) {
    tell(place);
    await pause(seconds);
    try {
      const now = await call('get', '/api/v1/session/place', {});
      if (now.place === 0) return;
      place = now;
      seconds = Math.max(now.retry_s, 1);
    } catch (cause) {
      if (!(cause instanceof ApiError)) throw cause;
      seconds = Math.min(Math.max(seconds * 2, cause.retryAfter), AGAIN_MAX_S);
    }
  }
  throw first;
}

/** Runs `goIn`, as often as it is told to wait. */
export async function inTurn<T>(goIn: () => Promise<T>, tell: (place: Place | undefined) => void): Promise<T> {
  const until = Date.now() + WAIT_MAX_MS;
  for (;;) {
    try {
      const given = await goIn();
      tell(undefined);
      return given;
    } catch (cause) {
      if (cause instanceof ApiError && cause.problem.code === 'sign_in_queue' && Date.now() < until) {
        await turn(cause, tell, until);
        continue;
      }
      tell(undefined);
      throw cause;
    }
  }
}
