// SPDX-License-Identifier: GPL-2.0-only

/** An integer type on a kernel of 64 bits. */
export interface IntegerType {
  readonly bits: 32 | 64;
  readonly isSigned: boolean;
}

const named = (bits: IntegerType["bits"], isSigned: boolean, words: string): readonly (readonly [string, IntegerType])[] =>
  words.split(", ").map((word) => [word, { bits, isSigned }] as const);

const TYPES: ReadonlyMap<string, IntegerType> = new Map([
  ...named(32, true, "int, signed int, signed, s32, __s32, int32_t"),
  ...named(32, false, "unsigned int, unsigned, uint, u32, __u32, uint32_t"),
  ...named(64, true, "long, long int, signed long, long long, long long int, s64, __s64, int64_t, ssize_t, loff_t"),
  ...named(64, false, "unsigned long, unsigned long int, long unsigned int, ulong, unsigned long long, u64, __u64, uint64_t, size_t, pgoff_t"),
]);

/** null: not known, or narrower than int, which makes an int of it before anything is compared. */
export const integerType = (name: string): IntegerType | null => TYPES.get(name) ?? null;

/** True where a comparison of the two takes the signed one for an unsigned number. */
export const losesSign = (signed: IntegerType, other: IntegerType): boolean => signed.isSigned && !other.isSigned && other.bits >= signed.bits;
