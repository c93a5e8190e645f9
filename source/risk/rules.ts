/**
 * What makes a program risky, one row a rule. Rules only warn: none of them, and no absence of one, ever
 * answers a request.
 */

import type { Rule } from './rule.ts'
import { codeRules } from './rules-code.ts'
import { fileRules } from './rules-files.ts'
import { networkRules } from './rules-network.ts'
import { systemRules } from './rules-system.ts'

/** The most telling first. */
export const rules: readonly Rule[] = [...codeRules, ...systemRules, ...fileRules, ...networkRules]
