/** Makes the self-signed certificate of a private server instance. */

import { join } from 'node:path'
import { run } from './run-program.ts'

export interface CertificateFiles {
  readonly keyFile: string
  readonly certFile: string
}

/** Writes `key.pem` and `cert.pem`, good for localhost and 127.0.0.1, into the folder. */
export async function makeCertificate(folder: string): Promise<CertificateFiles> {
  const keyFile = join(folder, 'key.pem')
  const certFile = join(folder, 'cert.pem')
  await run('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '3650'],
    ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'],
    ...['-keyout', keyFile, '-out', certFile],
  ])
  return { keyFile, certFile }
}
