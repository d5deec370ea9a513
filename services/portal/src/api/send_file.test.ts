import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ANSWER_WAIT_MAX_MS } from './client';
import type { ApiError } from './problem';
import { sendFile } from './send_file';

type Step = () => void;
const nothing: Step = () => undefined;

/** A request as the browser has it, moved on by the test. */
class Line {
  static last: Line;
  upload = { onload: nothing, onprogress: nothing };
  onload = nothing;
  onerror = nothing;
  onabort = nothing;
  onloadend = nothing;
  status = 202;
  responseText = '{"upload_id":"one"}';
  ended = false;
  constructor() {
    Line.last = this;
  }
  open(): void {}
  send(): void {}
  setRequestHeader(): void {}
  getResponseHeader = () => null;
  abort(): void {
    this.ended = true;
    this.onabort();
    this.onloadend();
  }
}
globalThis.XMLHttpRequest = Line as unknown as typeof XMLHttpRequest;
const send = () => sendFile('S-1', { name: 'a.csv' } as File, 'key', false, () => undefined).answer;

test('a file may take long to go out; when it is out an answer comes soon or never', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const late = assert.rejects(send(), (error: ApiError) => error.problem.code === 'late_answer');
  context.mock.timers.tick(10 * ANSWER_WAIT_MAX_MS);
  assert.equal(Line.last.ended, false);
  Line.last.upload.onload();
  context.mock.timers.tick(ANSWER_WAIT_MAX_MS);
  assert.equal(Line.last.ended, true, 'nothing of it comes later');
  await late;
});

test('an answer in time ends the wait', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const accepted = send();
  Line.last.upload.onload();
  Line.last.onload();
  Line.last.onloadend();
  context.mock.timers.tick(ANSWER_WAIT_MAX_MS);
  assert.deepEqual(await accepted, { upload_id: 'one' });
  assert.equal(Line.last.ended, false);
});
