import { PassThrough } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { alertWithoutRequest } from '../../../../src/http/connect/alert.js';

const TARGET = { hostname: 'a.example', protocol: 'https:', port: '443' };
const refusal = Object.assign(new Error('refused'), {
  code: 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
});

describe('the alert of a connection without a request', () => {
  test('is that of a handshake that fails', async () => {
    const alert = alertWithoutRequest((_target, callback) => callback(refusal, null), TARGET);
    expect(await alert).toBe('certificate required');
  });

  test('is absent if connecting fails otherwise', async () => {
    const failure = new Error('no route');
    const alert = alertWithoutRequest((_target, callback) => callback(failure, null), TARGET);
    expect(await alert).toBeUndefined();
  });

  test('is that which ends it after the handshake', async () => {
    const alert = alertWithoutRequest((_target, callback) => {
      const socket = new PassThrough();
      callback(null, socket as never);
      socket.destroy(refusal);
    }, TARGET);
    expect(await alert).toBe('certificate required');
  });
});
