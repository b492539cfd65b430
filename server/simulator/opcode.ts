// SPDX-License-Identifier: GPL-2.0-only

/**
 * Instructions of the stack machine in `vm.ts`. Operands follow the opcode in the code array, in the order given.
 * `vm.ts` repeats the numbers as literals, because only literal cases become a jump table.
 */
export const OP = {
  /** value: push it. */
  CONSTANT: 0,
  /** offset: push the byte. */
  LOAD: 1,
  /** offset, length: pop an index, push the element; 0 where the index is outside. */
  LOAD_ELEMENT: 2,
  EQUAL: 3,
  NOT_EQUAL: 4,
  LESS: 5,
  GREATER: 6,
  LESS_OR_EQUAL: 7,
  GREATER_OR_EQUAL: 8,
  ADD: 9,
  SUBTRACT: 10,
  AND: 11,
  OR: 12,
  NOT: 13,
  /** offset, value: push whether the byte equals the value. */
  BYTE_EQUALS: 14,
  /** offset, value: push whether the byte differs from the value. */
  BYTE_DIFFERS: 15,
  /** offset: pop a value, store its low byte. */
  STORE: 16,
  /** offset, length: pop a value, then an index; store, or nothing where the index is outside. */
  STORE_ELEMENT: 17,
  /** offset, value: store the value. */
  STORE_CONSTANT: 18,
  /** Pop and return. */
  RETURN: 19,
  /** Return 0: end of an effect. */
  END: 20,
  /** offset, value: return how the byte compares with the value. */
  RETURN_BYTE_EQUALS: 21,
  RETURN_BYTE_DIFFERS: 22,
  RETURN_BYTE_LESS: 23,
  RETURN_BYTE_GREATER: 24,
  RETURN_BYTE_LESS_OR_EQUAL: 25,
  RETURN_BYTE_GREATER_OR_EQUAL: 26,
  /** offset, value: add the value to the byte. */
  ADD_TO_BYTE: 27,
} as const;
