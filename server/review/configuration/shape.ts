// SPDX-License-Identifier: GPL-2.0-only
import type { Node } from "jsonc-parser";
import type { Complaint, Extent } from "./json-tree.ts";

/** A JSON schema, as far as shapes need one. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** Takes what is wrong with a value. */
export type Complain = (complaint: Complaint) => void;

/** A form of values: how one is read from a file, and how a schema tells it to others. */
export interface Shape<T> {
  readonly schema: JsonSchema;
  /** Null where there is no such value; why was told. */
  read(node: Node, complain: Complain): { readonly value: T } | null;
}

/** A member of a record. */
export interface Member<T> {
  readonly shape: Shape<T>;
  readonly isRequired: boolean;
  /** For whoever writes the file. */
  readonly about: string;
}

const complaint = (code: string, message: string, { offset, length }: Extent): Complaint => ({ code, message, offset, length });

const wrongType = (node: Node, wanted: string): Complaint =>
  complaint("configuration-type", `${wanted} is expected here, not ${node.type === "array" || node.type === "object" ? `an ${node.type}` : node.type === "null" ? "null" : `a ${node.type}`}`, node);

/** A string. `problemOf` says what is wrong with one, after "it": `is empty`. */
export const text = (schema: JsonSchema, problemOf: (value: string) => { readonly code: string; readonly message: string } | null): Shape<string> => ({
  schema: { type: "string", ...schema },
  read(node, complain) {
    if (typeof node.value !== "string" || node.type !== "string") return complain(wrongType(node, "a string")), null;
    const problem = problemOf(node.value);
    if (problem !== null) return complain(complaint(problem.code, problem.message, node)), null;
    return { value: node.value };
  },
});

/** One of a few words. */
export const choice = <T extends string>(words: readonly T[]): Shape<T> => ({
  schema: { enum: words },
  read(node, complain) {
    const word = words.find((one) => one === node.value);
    if (word === undefined) return complain(complaint("configuration-type", `one of ${words.map((one) => JSON.stringify(one)).join(", ")} is expected here`, node)), null;
    return { value: word };
  },
});

/** A value with its place in the text. */
export const placed = <T>(shape: Shape<T>): Shape<{ readonly value: T } & Extent> => ({
  schema: shape.schema,
  read(node, complain) {
    const read = shape.read(node, complain);
    return read && { value: { value: read.value, offset: node.offset, length: node.length } };
  },
});

/** Values one after the other; one that is wrong is left out. */
export const listOf = <T>(item: Shape<T>): Shape<readonly T[]> => ({
  schema: { type: "array", items: item.schema },
  read(node, complain) {
    if (node.type !== "array") return complain(wrongType(node, "an array")), null;
    return { value: (node.children ?? []).map((child) => item.read(child, complain)).filter((read) => read !== null).map(({ value }) => value) };
  },
});

/** Values by name; one that is wrong is left out, and so is one whose name is. */
export const mapOf = <T>(key: Shape<string>, item: Shape<T>): Shape<ReadonlyMap<string, T>> => ({
  schema: { type: "object", propertyNames: key.schema, additionalProperties: item.schema },
  read(node, complain) {
    if (node.type !== "object") return complain(wrongType(node, "an object")), null;
    const members = membersOf(node, complain).flatMap(([name, value]): (readonly [string, T])[] => {
      const read = key.read(name, complain) && item.read(value, complain);
      return read ? [[String(name.value), read.value]] : [];
    });
    return { value: new Map(members) };
  },
});

type RecordOf<M> = { readonly [K in keyof M]: M[K] extends Member<infer T> & { readonly isRequired: true } ? T : M[K] extends Member<infer T> ? T | null : never };

export const required = <T>(shape: Shape<T>, about: string) => ({ shape, about, isRequired: true as const });
export const optional = <T>(shape: Shape<T>, about: string) => ({ shape, about, isRequired: false as const });

/**
 * Members with names of their own. `whole`: where anything in it is wrong there is no record, because what is left of it would
 * mean something else; otherwise what is wrong is missing.
 */
export function recordOf<M extends Readonly<Record<string, Member<unknown>>>>(about: string, members: M, { whole }: { readonly whole: boolean }): Shape<RecordOf<M>> {
  const known = new Map<string, Member<unknown>>(Object.entries(members));
  const names = [...known.keys()];
  return {
    schema: {
      type: "object",
      description: about,
      properties: Object.fromEntries([...known].map(([name, one]) => [name, { ...one.shape.schema, description: one.about }])),
      required: names.filter((name) => known.get(name)?.isRequired === true),
      additionalProperties: false,
    },
    read(node, complain) {
      if (node.type !== "object") return complain(wrongType(node, "an object")), null;
      let isWrong = false;
      const tell: Complain = (one) => {
        isWrong = true;
        complain(one);
      };
      const values = new Map<string, unknown>(names.map((name) => [name, null]));
      for (const [name, value] of membersOf(node, tell)) {
        const member = known.get(String(name.value));
        if (member === undefined) tell(complaint("configuration-key", `no key is called ${JSON.stringify(name.value)} here; there are ${names.join(", ")}`, name));
        else values.set(String(name.value), member.shape.read(value, tell)?.value ?? null);
      }
      const present = new Set((node.children ?? []).map((child) => child.children?.[0]?.value as unknown));
      for (const name of names) if (known.get(name)?.isRequired === true && !present.has(name)) tell(complaint("configuration-key", `${JSON.stringify(name)} is missing here`, { offset: node.offset, length: 1 }));
      if (isWrong && (whole || names.some((name) => known.get(name)?.isRequired === true && values.get(name) === null))) return null;
      // Own members, whatever they are called: nothing of the file names one.
      return { value: Object.fromEntries(values) as RecordOf<M> };
    },
  };
}

/** Names and values of an object, each name once: of two the first counts. */
function membersOf(node: Node, complain: Complain): readonly (readonly [Node, Node])[] {
  const seen = new Set<unknown>();
  return (node.children ?? []).flatMap(({ children = [] }): (readonly [Node, Node])[] => {
    const [name, value] = children;
    // What has no value was complained of by the parser.
    if (name === undefined || value === undefined) return [];
    if (seen.has(name.value)) return complain(complaint("configuration-key", `${JSON.stringify(name.value)} is there twice; the first one counts`, name)), [];
    seen.add(name.value);
    return [[name, value]];
  });
}
