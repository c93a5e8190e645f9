import { answer } from './answer.ts'
import type { Invocation } from './command.ts'

export const run = (invocation: Invocation) => answer(invocation, 'deny')
