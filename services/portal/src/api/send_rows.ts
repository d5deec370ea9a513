// Rows entered by hand: sent as JSON, judged as a file is, and their outcomes fetched when it is over.
import { call, command, wait } from './client';
import { isOver, type Upload } from './progress';
import { disposition } from './send_file';
import type { components } from '../gen/api';

export type JudgedRow = components['schemas']['UploadRow'];
export const HAND_ROWS_MAX = 500;

export interface Judged {
  upload: Upload;
  /** In the order in which they were sent. */
  rows: JudgedRow[];
}

const ASK_FIRST_MS = 150;
const ASK_EVERY_MS = 2000;

export async function sendRows(seminarNo: string, rows: Record<string, string>[], fileName: string): Promise<string> {
  const { upload_id } = await command('post', '/api/v1/seminars/{seminar_no}/attendance', {
    path: { seminar_no: seminarNo },
    body: { rows },
    headers: { 'Content-Disposition': disposition(fileName) },
  });
  return upload_id;
}

/** An accepted upload is finished by the system in any case; this only waits to show it. */
export async function judgedRows(uploadId: string, signal: AbortSignal): Promise<Judged> {
  const path = { upload_id: uploadId };
  for (let pause = ASK_FIRST_MS; ; pause = Math.min(pause * 1.5, ASK_EVERY_MS)) {
    const upload = await call('get', '/api/v1/uploads/{upload_id}', { path, signal });
    if (isOver(upload)) {
      const query = { limit: HAND_ROWS_MAX };
      const { items } = await call('get', '/api/v1/uploads/{upload_id}/rows', { path, query, signal });
      return { upload, rows: items };
    }
    await wait(pause, signal);
  }
}
