/**
 * A host of one program in the pseudo-terminal, for tests: run in a terminal of its own, it does what lines
 * on a socket say, and says there what came of it.
 */
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import { PtyProgram } from '../../../source/agents/pty/program.ts'

const [socketPath = '', path = '', ...args] = process.argv.slice(2)
const socket = connect(socketPath)
const program = await PtyProgram.start({
	path,
	args,
	cwd: process.cwd(),
	env: process.env,
	terminal: { stdin: process.stdin, stdout: process.stdout },
})
const say = (what: unknown) => socket.write(`${JSON.stringify(what)}\n`)
say({ agent: program.pid, host: process.pid })

createInterface(socket).on('line', (line) => {
	const { wanted, keys, press, crash, ...options } = JSON.parse(line)
	if (crash) throw new Error('crashed as told to')
	void program
		.type(
			(screen) => {
				// As if it was pressed this very moment.
				if (press !== undefined) process.stdin.emit('data', Buffer.from(press))
				return screen.row(screen.cursor.row).includes(wanted)
			},
			keys,
			options,
		)
		.then((typed) => say({ typed }))
})

say(await program.ended)
socket.end()
