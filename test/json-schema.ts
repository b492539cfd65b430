// SPDX-License-Identifier: GPL-2.0-only

/** The part of JSON Schema that the schemas of our tests use. */
export interface Schema {
  readonly type?: "object" | "array" | "string" | "integer";
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly minItems?: number;
  readonly items?: Schema;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  /** Schema of members that `properties` does not name; false: there are none. Missing: anything. */
  readonly additionalProperties?: Schema | false;
  readonly anyOf?: readonly Schema[];
}

const typeOf = (value: unknown): string =>
  Array.isArray(value) ? "array" : Number.isInteger(value) ? "integer" : value === null ? "null" : typeof value;

function memberProblems(schema: Schema, value: object, at: string): string[] {
  const missing = (schema.required ?? []).filter((key) => !Object.hasOwn(value, key)).map((key) => `${at}: no ${key}`);
  const inside = Object.entries(value).flatMap(([key, member]) => {
    const known = schema.properties !== undefined && Object.hasOwn(schema.properties, key) ? schema.properties[key] : schema.additionalProperties;
    return known === false ? [`${at}: unexpected ${key}`] : known === undefined ? [] : schemaProblems(known, member, `${at}.${key}`);
  });
  return [...missing, ...inside];
}

/** Where a value departs from a schema, one sentence fragment each. */
export function schemaProblems(schema: Schema, value: unknown, at = "$"): string[] {
  if (schema.anyOf !== undefined) {
    return schema.anyOf.some((one) => schemaProblems(one, value, at).length === 0) ? [] : [`${at}: none of the alternatives`];
  }
  if (schema.type !== undefined && typeOf(value) !== schema.type) return [`${at}: ${typeOf(value)}, not ${schema.type}`];
  return [
    ...("const" in schema && value !== schema.const ? [`${at}: not ${String(schema.const)}`] : []),
    ...(schema.enum !== undefined && !schema.enum.includes(value) ? [`${at}: not one of ${schema.enum.join(", ")}`] : []),
    ...(schema.pattern !== undefined && !new RegExp(schema.pattern).test(String(value)) ? [`${at}: does not match ${schema.pattern}`] : []),
    ...(schema.minimum !== undefined && Number(value) < schema.minimum ? [`${at}: below ${schema.minimum}`] : []),
    ...(schema.minItems !== undefined && (value as unknown[]).length < schema.minItems ? [`${at}: too short`] : []),
    ...(schema.items !== undefined ? (value as unknown[]).flatMap((item, index) => schemaProblems(schema.items!, item, `${at}[${index}]`)) : []),
    ...(typeof value === "object" && value !== null && !Array.isArray(value) ? memberProblems(schema, value, at) : []),
  ];
}
