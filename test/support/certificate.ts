import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';

export interface Certificate {
  readonly keyFile: string;
  readonly certFile: string;
}

/** Makes a P-256 key and a certificate of its own for localhost in `folder`, as no authority that anyone trusts has. */
export async function makeCertificate(folder: string): Promise<Certificate> {
  const keyFile = path.join(folder, 'tls.key');
  const certFile = path.join(folder, 'tls.crt');
  const request = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650';
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  const files = ['-keyout', keyFile, '-out', certFile];
  await promisify(execFile)('openssl', [...request.split(' '), ...names, ...files]);
  return { keyFile, certFile };
}
