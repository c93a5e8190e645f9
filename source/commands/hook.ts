/**
 * `hook <agent>`: what an agent may call as a hook. Installed hooks call the script behind it without this
 * detour; the answer is the same. Never fails: an agent goes on as without us.
 */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { aboutCall } from '../agents/hooked.ts'
import { resolveHome } from '../config/paths.ts'
import { scriptFile } from '../host/hooks/hook-script.ts'
import { type ExitCode, exit } from '../protocol/errors.ts'
import type { Invocation } from './command.ts'

const maxBytes = 32 * 1024 * 1024

export async function run({ args, io }: Invocation): Promise<ExitCode> {
	const input = await readAll(io.stdin)
	const script = scriptFile(resolveHome(io.env, io.platform))
	if (input === null || !existsSync(script)) return exit.done
	const kind = aboutCall(input.toString('utf8'))?.event === 'PermissionRequest' ? 'ask' : 'tell'
	const child = spawn('/bin/sh', [script, args[0] ?? '', kind, String(process.ppid)], {
		stdio: ['pipe', 'inherit', 'ignore'],
	})
	// The agent ends a hook that it does not wait for any more.
	const end = () => child.kill('SIGTERM')
	process.once('SIGTERM', end)
	child.stdin.on('error', () => undefined)
	child.stdin.end(input)
	await new Promise<void>((resolve) => {
		child.once('error', () => resolve())
		child.once('close', () => resolve())
	})
	process.off('SIGTERM', end)
	return exit.done
}

/** `null`: more than any hook has to say. */
async function readAll(stdin: NodeJS.ReadStream): Promise<Buffer | null> {
	const chunks: Buffer[] = []
	let length = 0
	if (stdin.isTTY) return null
	for await (const chunk of stdin) {
		chunks.push(Buffer.from(chunk))
		length += chunk.length
	}
	return length > maxBytes ? null : Buffer.concat(chunks)
}
