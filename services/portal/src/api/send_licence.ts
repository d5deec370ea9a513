// Sends the copy of a licence: the body is the file, the mailed link's secret stands in a header.
import { commonHeaders, fetchSoon } from './client';
import { ApiError, problemOf } from './problem';

/** Some megabytes on a bad mobile line. */
const SEND_MAX_MS = 300_000;

export async function sendLicence(link: string, file: File): Promise<void> {
  const headers = {
    ...commonHeaders('post'),
    'Content-Type': file.type || 'application/octet-stream',
    'X-Signup-Link': link,
  };
  const response = await fetchSoon('/api/v1/signups/licence', { method: 'POST', headers, body: file }, SEND_MAX_MS);
  if (response.ok) return;
  const body: unknown = await response.json().catch(() => null);
  throw new ApiError(problemOf(body, response.status), Number(response.headers.get('Retry-After')) || 0);
}
