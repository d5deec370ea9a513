// Types of requests and answers, taken from the generated contract by path and method.
import type { paths } from '../gen/api';

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';
type Operation<P extends keyof paths, M extends Method> = M extends keyof paths[P] ? paths[P][M] : never;
type Json<T> = T extends { content: { 'application/json': infer B } } ? B : never;
type OkStatus = 200 | 201 | 202;

/** The body of a good answer; of a command that may be answered 202, the finished one. */
export type Answer<P extends keyof paths, M extends Method> =
  Operation<P, M> extends { responses: infer R }
    ? 200 extends keyof R
      ? Json<R[200]>
      : 201 extends keyof R
        ? Json<R[201]>
        : R extends { [S in OkStatus]?: unknown }
          ? 202 extends keyof R
            ? Json<R[202]>
            : undefined
          : undefined
    : never;

export type Body<P extends keyof paths, M extends Method> =
  Operation<P, M> extends { requestBody?: infer B } ? Json<NonNullable<B>> : never;

type Parameters<P extends keyof paths, M extends Method> =
  Operation<P, M> extends { parameters: infer A } ? A : never;
type PathOf<A> = A extends { path: infer V } ? { path: V } : { path?: undefined };
type QueryOf<A> = A extends { query?: infer V } ? { query?: V } : { query?: undefined };
type BodyOf<B> = [B] extends [never] ? { body?: undefined } : { body: B };

export type Ask<P extends keyof paths, M extends Method> = PathOf<Parameters<P, M>> &
  QueryOf<Parameters<P, M>> &
  BodyOf<Body<P, M>> & { signal?: AbortSignal; headers?: Record<string, string>; keepalive?: boolean };
export type { paths };
