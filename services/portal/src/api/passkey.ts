// The browser's passkeys: bytes to and from base64url, and what the server wants of them. No CBOR is
// taken apart here: the browser gives authenticator data and public key by themselves.
import { call } from './client';
import type { Answer, Body } from './types';

type Options = Answer<'/api/v1/me/passkeys/options', 'post'>;
type Challenge = Answer<'/api/v1/me/passkeys/challenge', 'post'>;
type NewPasskey = Body<'/api/v1/me/passkeys', 'post'>;
export type PasskeyProof = Body<'/api/v1/session/passkey', 'post'>;

const WAIT_MS = 120_000;
const ES256 = -7;
const RS256 = -257;

/** Browsers make them on https and on localhost, never for a bare address. */
export const passkeysWork = (): boolean =>
  isSecureContext && 'PublicKeyCredential' in window && !/^[\d.]+$|:/.test(location.hostname);

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  const plain = atob(text.replace(/-/g, '+').replace(/_/g, '/'));
  return Uint8Array.from(plain, (char) => char.charCodeAt(0));
}

function textOf(bytes: ArrayBuffer): string {
  const plain = String.fromCharCode(...new Uint8Array(bytes));
  return btoa(plain).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
}

const known = (ids: string[]): PublicKeyCredentialDescriptor[] => ids.map((id) => ({ type: 'public-key', id: bytesOf(id) }));

/** The person gave up, or the time was over: no fault to be shown. */
export const gaveUp = (cause: unknown): boolean =>
  cause instanceof DOMException && (cause.name === 'NotAllowedError' || cause.name === 'AbortError');
/** The device has one of the account's passkeys already. */
export const isThere = (cause: unknown): boolean => cause instanceof DOMException && cause.name === 'InvalidStateError';

async function make(options: Options, label: string): Promise<NewPasskey> {
  const made = (await navigator.credentials.create({
    publicKey: {
      challenge: bytesOf(options.challenge),
      rp: { id: options.rp_id, name: options.rp_name },
      user: { id: bytesOf(options.user_id), name: options.user_name, displayName: options.user_name },
      pubKeyCredParams: [ES256, RS256].map((alg) => ({ type: 'public-key', alg })),
      authenticatorSelection: { residentKey: 'required', requireResidentKey: true, userVerification: 'required' },
      excludeCredentials: known(options.credentials),
      attestation: 'none',
      timeout: WAIT_MS,
    },
  })) as PublicKeyCredential;
  const answer = made.response as AuthenticatorAttestationResponse;
  const key = answer.getPublicKey();
  if (!key) throw new DOMException('', 'NotSupportedError');
  return {
    label,
    client_data: textOf(answer.clientDataJSON),
    authenticator_data: textOf(answer.getAuthenticatorData()),
    public_key: textOf(key),
    algorithm: answer.getPublicKeyAlgorithm(),
  };
}

export async function addPasskey(label: string) {
  const options = await call('post', '/api/v1/me/passkeys/options', {});
  return call('post', '/api/v1/me/passkeys', { body: await make(options, label) });
}

async function sign(challenge: Challenge): Promise<PasskeyProof> {
  const signed = (await navigator.credentials.get({
    publicKey: {
      challenge: bytesOf(challenge.challenge),
      rpId: challenge.rp_id,
      allowCredentials: known(challenge.credentials),
      userVerification: 'required',
      timeout: WAIT_MS,
    },
  })) as PublicKeyCredential;
  const answer = signed.response as AuthenticatorAssertionResponse;
  return {
    credential_id: textOf(signed.rawId),
    client_data: textOf(answer.clientDataJSON),
    authenticator_data: textOf(answer.authenticatorData),
    signature: textOf(answer.signature),
  };
}

/** Whoever it is. */
export const signForSession = async (): Promise<PasskeyProof> => sign(await call('post', '/api/v1/session/passkey/challenge', {}));
/** One of the account's own. */
export const signForAccount = async (): Promise<PasskeyProof> => sign(await call('post', '/api/v1/me/passkeys/challenge', {}));
