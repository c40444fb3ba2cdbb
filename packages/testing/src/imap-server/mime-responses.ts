/** Writes ENVELOPE and BODYSTRUCTURE of a message (RFC 9051 §7.5.2). */

import { type EnvelopeAddress, parseAddresses } from '../model/mime/addresses.ts'
import { isEmbeddedMessage, isMultipart, type MimeEntity } from '../model/mime/entity.ts'
import { headerValue } from '../model/mime/header.ts'
import type { ParameterizedValue } from '../model/mime/parameters.ts'
import { imapString, nstring } from './response-syntax.ts'

export function envelope({ header }: MimeEntity): string {
  const from = addressList(headerValue(header, 'From'))
  const orFrom = (name: string): string => {
    const written = addressList(headerValue(header, name))
    return written === 'NIL' ? from : written
  }
  return `(${[
    nstring(headerValue(header, 'Date')),
    nstring(headerValue(header, 'Subject')),
    from,
    orFrom('Sender'),
    orFrom('Reply-To'),
    addressList(headerValue(header, 'To')),
    addressList(headerValue(header, 'Cc')),
    addressList(headerValue(header, 'Bcc')),
    nstring(headerValue(header, 'In-Reply-To')),
    nstring(headerValue(header, 'Message-ID')),
  ].join(' ')})`
}

/** BODYSTRUCTURE, or BODY when not extended. */
export function bodyStructure(entity: MimeEntity, form: { readonly isExtended: boolean }): string {
  if (isMultipart(entity)) return multipart(entity, form)
  const type = isEmptyMultipart(entity) ? ['text', 'plain'] : [entity.type, entity.subtype]
  const fields = [
    ...type.map(imapString),
    parameterList(entity.parameters),
    nstring(headerValue(entity.header, 'Content-ID')),
    nstring(headerValue(entity.header, 'Content-Description')),
    imapString(entity.encoding),
    String(entity.body.end - entity.body.start),
  ]
  if (isEmbeddedMessage(entity)) {
    const message = entity.children[0] as MimeEntity
    fields.push(envelope(message), bodyStructure(message, form), String(entity.lines))
  } else if (type[0] === 'text') fields.push(String(entity.lines))
  if (form.isExtended) fields.push(nstring(headerValue(entity.header, 'Content-MD5')), ...extension(entity))
  return `(${fields.join(' ')})`
}

/** A multipart without any part is shown as text, since a list of parts may not be empty. */
function isEmptyMultipart(entity: MimeEntity): boolean {
  return entity.type === 'multipart'
}

function multipart(entity: MimeEntity, form: { readonly isExtended: boolean }): string {
  const parts = entity.children.map((child) => bodyStructure(child, form)).join('')
  if (!form.isExtended) return `(${parts} ${imapString(entity.subtype)})`
  return `(${[`${parts} ${imapString(entity.subtype)}`, parameterList(entity.parameters), ...extension(entity)].join(' ')})`
}

/** Disposition, language, location. */
function extension(entity: MimeEntity): string[] {
  const { disposition } = entity
  const shown = disposition === null ? 'NIL' : `(${imapString(disposition.value)} ${parameterList(disposition.parameters)})`
  return [shown, nstring(headerValue(entity.header, 'Content-Language')), nstring(headerValue(entity.header, 'Content-Location'))]
}

function parameterList(parameters: ParameterizedValue['parameters']): string {
  if (parameters.length === 0) return 'NIL'
  return `(${parameters.map(({ name, value }) => `${imapString(name)} ${imapString(value)}`).join(' ')})`
}

function addressList(text: string | null): string {
  const addresses = parseAddresses(text ?? '')
  if (addresses.length === 0) return 'NIL'
  return `(${addresses.map(address).join('')})`
}

function address({ name, mailbox, host }: EnvelopeAddress): string {
  return `(${nstring(name)} NIL ${nstring(mailbox)} ${nstring(host)})`
}
