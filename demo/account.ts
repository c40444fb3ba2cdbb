/** The account of the story as an app opens it: a store in a folder, the mail server over TCP, an engine between them. */

import { accountId, createMailEngine, type MailEngine, type MessageStore } from 'tidemail'
import { imapRemote, openNodeMessageStore } from 'tidemail/node'

export const USER = 'ada'
/** Of a server that lives for a few seconds on loopback. */
export const PASSWORD = 'a secret of the demo'

export interface AccountPlace {
  readonly directory: string
  /** Of the mail server, on 127.0.0.1. */
  readonly port: number
}

export interface OpenAccount {
  readonly mail: MailEngine
  readonly store: MessageStore
  close(): Promise<void>
}

export async function openAccount({ directory, port }: AccountPlace): Promise<OpenAccount> {
  const store = await openNodeMessageStore({ directory })
  const remote = imapRemote({ host: '127.0.0.1', port, security: 'none', user: USER, secret: async () => PASSWORD })
  const mail = await createMailEngine({ store, remote, account: { id: accountId(USER), host: '127.0.0.1', user: USER } })
  const close = async (): Promise<void> => {
    await mail.close()
    await store.close()
  }
  return { mail, store, close }
}
