// Sending an attendance file. By XMLHttpRequest, because fetch does not tell how much went out.
// The key belongs to the chosen file: pressing twice or trying again makes one upload.
import { ANSWER_WAIT_MAX_MS, lastAnswerNow, address, commonHeaders } from './client';
import { ApiError, lateAnswer, noAnswer, problemOf } from './problem';
import type { Answer } from './types';

export type Accepted = Answer<'/api/v1/seminars/{seminar_no}/attendance', 'post'>;

export interface Sending {
  answer: Promise<Accepted>;
  stop: () => void;
}

/** RFC 8187, so that any file name passes a header. */
export const disposition = (name: string): string =>
  `attachment; filename*=UTF-8''${encodeURIComponent(name).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16)}`)}`;

export function sendFile(
  seminarNo: string,
  file: File,
  key: string,
  dryRun: boolean,
  onPercent: (percent: number) => void,
): Sending {
  const request = new XMLHttpRequest();
  const url = address('/api/v1/seminars/{seminar_no}/attendance', { seminar_no: seminarNo }, { dry_run: dryRun || undefined });
  const isJson = /\.json$/i.test(file.name);
  const answer = new Promise<Accepted>((resolve, reject) => {
    request.open('POST', url);
    for (const [name, value] of Object.entries(commonHeaders('post'))) request.setRequestHeader(name, value);
    request.setRequestHeader('Content-Type', isJson ? 'application/json' : 'text/csv');
    request.setRequestHeader('Content-Disposition', disposition(file.name));
    request.setRequestHeader('Idempotency-Key', key);
    request.upload.onprogress = (event) => {
      if (event.lengthComputable) onPercent(Math.floor((event.loaded / event.total) * 100));
    };
    // However long it takes to go out: once it has, an answer comes soon.
    let timer: ReturnType<typeof setTimeout> | undefined;
    request.upload.onload = () => {
      timer = setTimeout(() => {
        reject(lateAnswer());
        request.abort();
      }, ANSWER_WAIT_MAX_MS);
    };
    request.onloadend = () => clearTimeout(timer);
    request.onerror = () => reject(noAnswer());
    request.onabort = () => reject(noAnswer());
    request.onload = () => {
      const body = parsed(request.responseText);
      if (request.status >= 200 && request.status < 300 && body) {
        lastAnswerNow();
        resolve(body as Accepted);
      } else {
        const after = Number(request.getResponseHeader('Retry-After'));
        reject(new ApiError(problemOf(body, request.status), after > 0 ? after : 0));
      }
    };
    request.send(file);
  });
  return { answer, stop: () => request.abort() };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
