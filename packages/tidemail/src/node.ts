/** What of Tidemail needs Node: a durable store in a folder, and the mail server over TCP. */

export { type ImapRemoteOptions, imapRemote } from '@tidemail/imap'
export { openNodeMessageStore } from '@tidemail/store/node'
