import assert from 'node:assert/strict';
import { test } from 'node:test';
import { match, safePath } from './router';

test('patterns', () => {
  assert.deepEqual(match('/uploads/{id}', '/uploads/a%20b'), { id: 'a b' });
  assert.deepEqual(match('/uploads', '/uploads/'), {});
  assert.deepEqual(match('/', '/'), {});
  assert.equal(match('/uploads/{id}', '/uploads/'), null);
  assert.equal(match('/uploads/{id}', '/uploads/%'), null);
  assert.equal(match('/uploads/{id}', '/seminars/1'), null);
});

test('only own paths are followed after sign-in', () => {
  assert.equal(safePath('/me/credits?programme=OP'), '/me/credits?programme=OP');
  for (const path of [null, '', '//evil', '/\\evil', '\\evil', 'https:evil', 'javascript:alert(1)'])
    assert.equal(safePath(path), '/', String(path));
});
