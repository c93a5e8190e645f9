import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import {
	lastWords,
	spawned,
	terminate,
	watchEnd,
	within,
	writeLine,
} from '../../source/agents/child-process.ts'

const posix = process.platform !== 'win32'

function shell(script: string) {
	return spawn('/bin/sh', ['-c', script], { stdio: 'pipe' })
}

test.runIf(posix)('an end is told with the code and the last words', async () => {
	const child = shell('echo first >&2; echo "last one" >&2; exit 3')
	const ended = await watchEnd(child)
	expect(ended).toEqual({ code: 3, signal: null, stderr: 'first\nlast one\n' })
	expect(lastWords(ended.stderr)).toBe('last one')
})

test.runIf(posix)('an end is told though something it started holds its output open', async () => {
	const child = shell('sleep 600 & echo $! >&2; exit 0')
	let pid = 0
	try {
		const ended = await watchEnd(child, 50)
		expect(ended).toMatchObject({ code: 0, signal: null })
		pid = Number(ended.stderr)
		expect(pid).toBeGreaterThan(0)
	} finally {
		if (pid > 0) process.kill(pid)
	}
})

test('a program that is not there fails at the start, in one sentence', async () => {
	const child = spawn('/no/such/program', [], { stdio: 'pipe' })
	const ended = watchEnd(child)
	await expect(spawned(child, 'Agent')).rejects.toMatchObject({ code: 'agent_failed' })
	expect(await ended).toMatchObject({ code: null, signal: null })
})

test.runIf(posix)('what does not end when asked is killed', async () => {
	const child = shell('trap "" TERM; echo ready; while :; do sleep 1; done')
	await new Promise((resolve) => child.stdout.once('data', resolve))
	const ended = watchEnd(child, 50)
	await terminate(child, ended, 50)
	expect(await ended).toMatchObject({ code: null, signal: 'SIGKILL' })
})

test('a limit of time ends with the work, whether it fails or not', async () => {
	expect(await within(Promise.reject(new Error('no')), 1000)).toBe(true)
	expect(await within(new Promise(() => {}), 5)).toBe(false)
})

test('last words are short, without control characters', () => {
	expect(lastWords('a\n\u001b[31mred\u0007\n \n')).toBe('[31mred')
	expect(lastWords(`${'x'.repeat(1000)}\n`)).toHaveLength(300)
	expect(lastWords('')).toBe('')
})

test.runIf(posix)('a line goes out to a child that reads, and to none that has ended', async () => {
	const child = shell('read -r line; test "$line" = "one \u2713"')
	const ended = watchEnd(child)
	child.stdin.on('error', () => child.stdin.destroy())
	expect(await writeLine(child.stdin, 'one \u2713')).toBe(true)
	expect(await ended).toMatchObject({ code: 0 })
	if (!child.stdin.closed) await once(child.stdin, 'close')
	expect(await writeLine(child.stdin, 'two')).toBe(false)
})
