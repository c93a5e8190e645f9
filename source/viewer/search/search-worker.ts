/** The thread of the search index: reading, checking and looking through never keeps a key waiting. */
import { parentPort, workerData } from 'node:worker_threads'
import { StyrbyError } from '../../protocol/errors.ts'
import { SearchEngine } from './engine.ts'
import type { EngineOptions } from './engine-types.ts'
import type { Call, Reply } from './worker-calls.ts'

const port = parentPort
// This program starts it, with what it reads here.
const engine = new SearchEngine(workerData as EngineOptions)

function reply(message: Reply): void {
	port?.postMessage(message)
}

async function answer(call: Call): Promise<unknown> {
	switch (call.name) {
		case 'open':
			return engine.open()
		case 'describe':
			return engine.describe(call.sessions)
		case 'add':
			return engine.add(call.batch)
		case 'ask':
			return engine.ask(call.query, call.limit, (partial) => reply({ id: call.id, partial }))
		case 'flush':
			return engine.flush()
		case 'rebuild':
			return engine.rebuild()
		case 'close':
			return engine[Symbol.asyncDispose]()
	}
}

port?.on('message', (call: Call) => {
	answer(call).then(
		(value) => {
			reply({ id: call.id, value })
			if (call.name === 'close') port.close()
		},
		(error: unknown) => {
			if (!(error instanceof StyrbyError)) throw error
			const { code, message, exitCode } = error
			reply({ id: call.id, error: { code, message, exitCode } })
		},
	)
})
