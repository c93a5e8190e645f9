/**
 * What makes a program risky, one row a rule. Rules only warn: none of them, and no absence of one, ever
 * answers a request.
 */

import type { Rule } from './risk-rule.ts'
import { codeRules } from './risk-rules-code.ts'
import { fileRules } from './risk-rules-files.ts'
import { networkRules } from './risk-rules-network.ts'
import { systemRules } from './risk-rules-system.ts'

/** The most telling first. */
export const rules: readonly Rule[] = [...codeRules, ...systemRules, ...fileRules, ...networkRules]
