// SPDX-License-Identifier: GPL-2.0-only

/** Deepest operand stack of one expression; the compiler refuses more. */
export const STACK_SIZE = 1024;

const stack = new Int32Array(STACK_SIZE);

/**
 * Runs the code at `at` on the state that starts at byte `base`, and returns the value of an expression (0 for an effect).
 * One function for all models and for guards, checks and effects alike: it is compiled by the engine once and stays hot.
 * The numbers are those of `opcode.ts`.
 */
export const run = (code: Int32Array, at: number, bytes: Uint8Array, base: number): number => {
  let pc = at;
  let top = -1;
  for (;;) {
    switch (code[pc++]) {
      case 0:
        stack[++top] = code[pc++];
        break;
      case 1:
        stack[++top] = bytes[base + code[pc++]];
        break;
      case 2: {
        const index = stack[top];
        stack[top] = index >= 0 && index < code[pc + 1] ? bytes[base + code[pc] + index] : 0;
        pc += 2;
        break;
      }
      case 3:
        top--;
        stack[top] = stack[top] === stack[top + 1] ? 1 : 0;
        break;
      case 4:
        top--;
        stack[top] = stack[top] === stack[top + 1] ? 0 : 1;
        break;
      case 5:
        top--;
        stack[top] = stack[top] < stack[top + 1] ? 1 : 0;
        break;
      case 6:
        top--;
        stack[top] = stack[top] > stack[top + 1] ? 1 : 0;
        break;
      case 7:
        top--;
        stack[top] = stack[top] <= stack[top + 1] ? 1 : 0;
        break;
      case 8:
        top--;
        stack[top] = stack[top] >= stack[top + 1] ? 1 : 0;
        break;
      case 9:
        top--;
        stack[top] = stack[top] + stack[top + 1];
        break;
      case 10:
        top--;
        stack[top] = stack[top] - stack[top + 1];
        break;
      case 11:
        top--;
        stack[top] = stack[top] !== 0 && stack[top + 1] !== 0 ? 1 : 0;
        break;
      case 12:
        top--;
        stack[top] = stack[top] !== 0 || stack[top + 1] !== 0 ? 1 : 0;
        break;
      case 13:
        stack[top] = stack[top] === 0 ? 1 : 0;
        break;
      case 14:
        stack[++top] = bytes[base + code[pc]] === code[pc + 1] ? 1 : 0;
        pc += 2;
        break;
      case 15:
        stack[++top] = bytes[base + code[pc]] === code[pc + 1] ? 0 : 1;
        pc += 2;
        break;
      case 16:
        bytes[base + code[pc++]] = stack[top--];
        break;
      case 17: {
        const value = stack[top--];
        const index = stack[top--];
        if (index >= 0 && index < code[pc + 1]) bytes[base + code[pc] + index] = value;
        pc += 2;
        break;
      }
      case 18:
        bytes[base + code[pc]] = code[pc + 1];
        pc += 2;
        break;
      case 19:
        return stack[top];
      case 20:
        return 0;
      case 21:
        return bytes[base + code[pc]] === code[pc + 1] ? 1 : 0;
      case 22:
        return bytes[base + code[pc]] !== code[pc + 1] ? 1 : 0;
      case 23:
        return bytes[base + code[pc]] < code[pc + 1] ? 1 : 0;
      case 24:
        return bytes[base + code[pc]] > code[pc + 1] ? 1 : 0;
      case 25:
        return bytes[base + code[pc]] <= code[pc + 1] ? 1 : 0;
      case 26:
        return bytes[base + code[pc]] >= code[pc + 1] ? 1 : 0;
      case 27:
        bytes[base + code[pc]] += code[pc + 1];
        pc += 2;
        break;
      default:
        throw new Error(`bad opcode ${code[pc - 1]}`);
    }
  }
};
