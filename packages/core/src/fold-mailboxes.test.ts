import { describe, expect, it } from 'vitest'
import { foldMailboxes } from './fold-mailboxes.ts'
import { mailboxId } from './ids.ts'
import type { MailboxChange, ViewEffect } from './view-effect.ts'

const face = (id: number, path: string) => ({ id: mailboxId(id), path, delimiter: '/', isSubscribed: false })
const effect = (id: number, change: MailboxChange): ViewEffect => ({ kind: 'mailbox', mailboxId: mailboxId(id), change })
const paths = (faces: readonly { readonly path: string }[]): string[] => faces.map(({ path }) => path)

describe('the list of mailboxes with pending operations', () => {
  it('gives what is below a mailbox the new name too', () => {
    const folded = foldMailboxes([face(1, 'A'), face(2, 'A/B')], [effect(1, { kind: 'rename', path: 'Z' })])
    expect(paths(folded)).toEqual(['Z', 'Z/B'])
  })

  it('leaves a mailbox that was made under a name after that was given up (Verifies: I-STORE-3)', () => {
    const made = { kind: 'create' as const }
    const faces = [face(1, 'A'), face(2, 'A'), face(3, 'A/B')]
    const effects = [effect(1, { kind: 'rename', path: 'Z' }), effect(2, made), effect(3, made)]
    expect(paths(foldMailboxes(faces, effects))).toEqual(['Z', 'A', 'A/B'])
    expect(paths(foldMailboxes(faces, [effect(1, made), ...effects]))).toEqual(['Z', 'A', 'A/B'])
    expect(paths(foldMailboxes(faces, [...effects, effect(2, { kind: 'rename', path: 'Y' })]))).toEqual(['Z', 'Y', 'Y/B'])
  })
})
