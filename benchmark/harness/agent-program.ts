/**
 * Stands in for Claude Code: prints what the benchmark hands it over a socket, and tells the benchmark
 * when it printed and what it was answered. It thinks no thoughts, so only the way is measured.
 */
import { connect } from 'node:net'
import { createInterface } from 'node:readline'

const monotonicMs = () => Number(process.hrtime.bigint()) / 1e6

if (process.argv.includes('--version')) {
	process.stdout.write('2.1.330 (Claude Code)\n')
} else {
	const socket = connect(process.env.BENCHMARK_AGENT ?? '')
	const tell = (what: object) => socket.write(`${JSON.stringify({ at: monotonicMs(), ...what })}\n`)
	createInterface({ input: socket }).on('line', (line) => {
		if (line === 'end') {
			socket.end()
			process.exit(0)
		}
		process.stdout.write(`${line}\n`)
		tell({ type: 'printed' })
	})
	createInterface({ input: process.stdin })
		.on('line', (line) => tell({ type: 'read', line: JSON.parse(line) }))
		.on('close', () => process.exit(0))
}
