import { execFileSync } from 'node:child_process'
import {
	chmodSync,
	mkdirSync,
	mkdtempSync,
	realpathSync,
	renameSync,
	rmSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { PolicyFile } from '../../source/policy/policy-file.ts'

let root: string
let file: string
const good = '{"rules": [{"answer": "ask", "tool": "x"}]}'

beforeEach(() => {
	root = realpathSync(mkdtempSync(join(tmpdir(), 'policy-file-')))
	mkdirSync(join(root, 'config'), { mode: 0o700 })
	file = join(root, 'config/policy.jsonc')
	writeFileSync(file, good, { mode: 0o600 })
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

const problem = () => {
	const state = new PolicyFile(file).read()
	return state.kind === 'refused' ? state.problem : state.kind
}

describe.skipIf(process.platform === 'win32')('the file', () => {
	test('holds while it is the person’s own', () => {
		expect(problem()).toBe('in_force')
		chmodSync(file, 0o644)
		expect(problem()).toBe('in_force')
		rmSync(file)
		expect(problem()).toBe('none')
		rmSync(join(root, 'config'), { recursive: true })
		expect(problem()).toBe('none')
	})

	test.each([0o620, 0o602, 0o666, 0o622])('that others may change is refused: %o', (mode) => {
		chmodSync(file, mode)
		expect(problem()).toContain('can be changed by other users: run chmod 600')
	})

	test.skipIf(process.getuid?.() !== 0)('of another user is refused', () => {
		execFileSync('chown', ['12345', file])
		expect(problem()).toContain('belongs to another user')
		execFileSync('chown', ['0', file])
		execFileSync('chown', ['12345', join(root, 'config')])
		expect(problem()).toContain('where the policy lies, belongs to another user')
	})

	test('in a folder that others may change is refused', () => {
		chmodSync(join(root, 'config'), 0o770)
		expect(problem()).toContain('where the policy lies, can be changed by other users')
		chmodSync(join(root, 'config'), 0o700)
		chmodSync(root, 0o777)
		expect(problem()).toContain('where the policy lies, can be changed by other users')
		chmodSync(root, 0o1777)
		expect(problem()).toBe('in_force')
	})

	test('that is a link, a folder or a pipe is refused', () => {
		renameSync(file, join(root, 'elsewhere'))
		symlinkSync(join(root, 'elsewhere'), file)
		expect(problem()).toContain('is a link or no ordinary file')
		rmSync(file)
		mkdirSync(file)
		expect(problem()).toContain('is a link or no ordinary file')
		rmSync(file, { recursive: true })
		execFileSync('mkfifo', [file])
		expect(problem()).toContain('is a link or no ordinary file')
	})

	test('that is too long is refused', () => {
		writeFileSync(file, `${good}${' '.repeat(300_000)}`)
		expect(problem()).toContain('is larger than 256 KB')
	})

	test('is read anew each time, and the old rules never outlive it', () => {
		const policy = new PolicyFile(file)
		const first = policy.read()
		writeFileSync(file, good.replace('"ask"', '"deny"'))
		const second = policy.read()
		expect(first).toMatchObject({ policy: { rules: [{ answer: 'ask' }] } })
		expect(second).toMatchObject({ policy: { rules: [{ answer: 'deny' }] } })
		writeFileSync(file, `${good}}`)
		expect(policy.read()).toMatchObject({ kind: 'refused', problems: [{ line: 1 }] })
		writeFileSync(file, good)
		expect(policy.read()).toEqual(first)
	})
})
