/**
 * The program that hooks of an installed agent run: a few lines for the shell, since every session runs
 * them at every turn. Without a host it reads its input and ends. With one it lays a call into a folder
 * that is the user's alone, and for a request waits at a named pipe for the answer.
 */
import { chmod } from 'node:fs/promises'
import { join } from 'node:path'
import { hostedMark } from '../../agents/child-environment.ts'
import { readOwnFile, replaceFile } from '../../config/atomic-file.ts'
import type { Home } from '../../config/paths.ts'

const text = `#!/bin/sh
# Made by "styrby-tui hooks install"; "styrby-tui hooks remove" takes it out of use.
# $1: the agent; $2: "ask" waits for an answer, "tell" does not; $3: its process, where that is not the caller.
nothing() {
	cat >/dev/null 2>&1
	exit 0
}
# This session is published by "styrby-tui run" already.
[ -z "\${${hostedMark}-}" ] || nothing
cd -- "\${0%/*}" 2>/dev/null || nothing
[ -r host.pid ] || nothing
host= since=
{ IFS= read -r host && IFS= read -r version && IFS= read -r since; } <host.pid
kill -0 "$host" 2>/dev/null || nothing
# Its number may be another process's by now: that would never answer.
started() {
	shift 19 && [ "$1" = "$since" ]
}
if [ -n "$since" ] && [ -r "/proc/$host/stat" ]; then
	IFS= read -r stat <"/proc/$host/stat"
	started \${stat##*) } || nothing
fi
# One that has ended, and that nobody has buried yet, counts as running up to here.
[ ! -e /proc/self/exe ] || [ -e "/proc/$host/exe" ] || nothing
umask 077
call="calls/$1.\${3:-$PPID}.$$"
if [ "$2" = ask ]; then
	mkfifo "$call.answer" 2>/dev/null || nothing
	cat >"$call.new" && mv -f -- "$call.new" "$call.ask" && exec cat "$call.answer"
else
	cat >"$call.new" && mv -f -- "$call.new" "$call.tell"
fi 2>/dev/null
exit 0
`

/** Where the script, the pid of the host and the calls lie: each user's own, mode 0700. */
export const hooksFolder = (home: Home) => join(home.run, 'hooks')
export const scriptFile = (home: Home) => join(hooksFolder(home), 'hook')

/** Writes the script where it is not there as it should be. Throws as `replaceFile` does. */
export async function writeScript(home: Home): Promise<void> {
	const file = scriptFile(home)
	const there = await readOwnFile(file, 2 ** 16)
	if (there !== null && Buffer.from(there).toString('utf8') === text) return
	await replaceFile(file, text)
	await chmod(file, 0o700)
}

/** What an agent runs. The shell becomes the script, so that who ends the one ends the other. */
export function hookCommand(home: Home, agent: string, kind: 'ask' | 'tell'): string {
	const file = quoted(scriptFile(home))
	return `test ! -f ${file} || exec sh ${file} ${agent} ${kind}`
}

/** Whether a command in an agent's settings is one of this home's. */
export function isOwnCommand(home: Home, command: unknown): boolean {
	return typeof command === 'string' && command.includes(`exec sh ${quoted(scriptFile(home))} `)
}

function quoted(path: string): string {
	return `'${path.replaceAll("'", `'\\''`)}'`
}
