// Sends the copy of a licence: the body is the file, the mailed link's secret stands in a header.
import { commonHeaders } from './client';
import { ApiError, noAnswer, problemOf } from './problem';

export async function sendLicence(link: string, file: File): Promise<void> {
  let response: Response;
  try {
    response = await fetch('/api/v1/signups/licence', {
      method: 'POST',
      headers: {
        ...commonHeaders('post'),
        'Content-Type': file.type || 'application/octet-stream',
        'X-Signup-Link': link,
      },
      body: file,
      credentials: 'same-origin',
      cache: 'no-store',
    });
  } catch {
    throw noAnswer();
  }
  if (response.ok) return;
  const body: unknown = await response.json().catch(() => null);
  throw new ApiError(problemOf(body, response.status), Number(response.headers.get('Retry-After')) || 0);
}
