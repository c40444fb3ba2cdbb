/** Says once, for reading and for writing, how a value looks as JSON; what looks otherwise is refused, never guessed (H-16). */

import type { Json } from '@tidemail/core'

/** How values of a type are kept as JSON. Functions, not methods, so that a form that knows too few words does not compile. */
export interface Form<T> {
  readonly write: (value: T) => Json
  /** @throws Unreadable where the JSON is not of this form */
  readonly read: (json: unknown, at: string) => T
}

/** The form of a member that may be left out. */
export interface OptionalForm<T> extends Form<T> {
  readonly isOptional: true
}

/** Names the place that cannot be read; never what stands there, for that may be content. */
export class Unreadable extends Error {
  override readonly name = 'Unreadable'
}

type Members<T> = { readonly [K in keyof T]-?: undefined extends T[K] ? OptionalForm<Exclude<T[K], undefined>> : Form<T[K]> }

/** An object with exactly these members. */
export function record<T extends object>(members: Members<T>): Form<T> {
  const forms = Object.entries(members as unknown as Readonly<Record<string, Form<unknown>>>)
  return {
    write: (value) =>
      Object.fromEntries(
        forms.flatMap(([key, form]) => {
          const member: unknown = (value as Readonly<Record<string, unknown>>)[key]
          return member === undefined ? [] : [[key, form.write(member)]]
        }),
      ),
    read: (json, at) => {
      const object = objectOf(json, at)
      for (const key of Object.keys(object)) if (!Object.hasOwn(members, key)) throw new Unreadable(`${at}: unknown member`)
      return Object.fromEntries(
        forms.flatMap(([key, form]) => {
          if (Object.hasOwn(object, key)) return [[key, form.read(object[key], `${at}.${key}`)]]
          if ('isOptional' in form) return []
          throw new Unreadable(`${at}.${key}: missing`)
        }),
      ) as T
    },
  }
}

/** One of several records, told apart by `kind`. */
export function variants<T extends { readonly kind: string }>(
  forms: {
    readonly [K in T['kind']]: Form<Omit<Extract<T, { readonly kind: K }>, 'kind'>>
  },
): Form<T> {
  const byKind = forms as unknown as Readonly<Record<string, Form<unknown>>>
  return {
    write: (value) => ({ kind: value.kind, ...(byKind[value.kind]?.write(value) as { readonly [key: string]: Json }) }),
    read: (json, at) => {
      const { kind, ...rest } = objectOf(json, at)
      const form = typeof kind === 'string' && Object.hasOwn(byKind, kind) ? byKind[kind] : undefined
      if (form === undefined) throw new Unreadable(`${at}.kind: unknown`)
      return { kind, ...(form.read(rest, at) as object) } as unknown as T
    },
  }
}

export function list<T>(item: Form<T>): Form<readonly T[]> {
  return {
    write: (values) => values.map((value) => item.write(value)),
    read: (json, at) => {
      if (!Array.isArray(json)) throw new Unreadable(`${at}: no list`)
      return json.map((value: unknown, i) => item.read(value, `${at}[${i}]`))
    },
  }
}

export function nullable<T>(form: Form<T>): Form<T | null> {
  return {
    write: (value) => (value === null ? null : form.write(value)),
    read: (json, at) => (json === null ? null : form.read(json, at)),
  }
}

export function optional<T>(form: Form<T>): OptionalForm<T> {
  return { ...form, isOptional: true }
}

export function oneOf<T extends string>(...choices: readonly T[]): Form<T> {
  return checked((json): json is T => choices.includes(json as T), 'unknown word')
}

/** A value that is its own JSON. */
export function checked<T extends Json>(isOne: (json: unknown) => json is T, complaint: string): Form<T> {
  return {
    write: (value) => value,
    read: (json, at) => {
      if (!isOne(json)) throw new Unreadable(`${at}: ${complaint}`)
      return json
    },
  }
}

/** A value kept as something else. `parse` throws for what it cannot read. */
export function parsed<T, Kept>(kept: Form<Kept>, convert: { format(value: T): Kept; parse(value: Kept): T }): Form<T> {
  return {
    write: (value) => kept.write(convert.format(value)),
    read: (json, at) => {
      const value = kept.read(json, at)
      try {
        return convert.parse(value)
      } catch {
        throw new Unreadable(`${at}: out of range`)
      }
    },
  }
}

export const text: Form<string> = checked((json) => typeof json === 'string', 'no text')
export const whole: Form<number> = checked((json): json is number => Number.isSafeInteger(json), 'no whole number')
/** A whole number from 0. */
export const count: Form<number> = checked((json): json is number => Number.isSafeInteger(json) && Number(json) >= 0, 'no count')

export const yesOrNo: Form<boolean> = checked((json) => typeof json === 'boolean', 'neither yes nor no')

function objectOf(json: unknown, at: string): Readonly<Record<string, unknown>> {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw new Unreadable(`${at}: no object`)
  return json as Readonly<Record<string, unknown>>
}
