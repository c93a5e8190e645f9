import { expect, test } from 'vitest'
import { jsonText } from '../../source/text/json-text.ts'

const hostile = 'a\u001B[31m\u009B31m\u009D0;x\u009C\u007F\u0085\u2028\u202E\u2066b ✓ 👩‍💻'

test('nothing in printed JSON acts on a terminal, and it reads the same', () => {
	const text = jsonText({ hostile, [hostile]: [null, 1] })
	expect(text).not.toMatch(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/u)
	expect(JSON.parse(text)).toEqual({ hostile, [hostile]: [null, 1] })
	expect(text).toContain('✓ 👩‍💻')
})
