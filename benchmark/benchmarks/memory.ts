import { type ChildProcess, spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { HostedAgent } from '../harness/agent.ts'
import { atMost, type Benchmark, type Row } from '../harness/benchmark.ts'
import { type Library, sizes } from '../harness/library.ts'
import { residentMegabytes } from '../harness/processes.ts'
import { endProcess, root } from '../harness/program.ts'
import { keys, Screen } from '../harness/screen.ts'

const idle = 'setInterval(() => {}, 1e6); console.log("up")'
const bareDatabase = `
	import { PGlite } from '@electric-sql/pglite'
	const database = await PGlite.create()
	await database.query('select 1')
	${idle}
`

/** Resident memory of the three processes there are. */
export const memory: Benchmark = {
	name: 'memory',
	summary: 'memory of viewer, host and embedded backend',
	async run({ library }) {
		const shared = await library()
		const node = await resident(['-e', idle])
		const database = await resident(['--liftoff-only', '--input-type=module', '-e', bareDatabase])
		const viewer = await viewerHavingRead(shared)
		await using agent = await HostedAgent.start(shared.profile)
		await sleep(3000)
		const host = residentMegabytes(agent.host.pid ?? 0)
		const { pid } = await shared.profile.backend()
		return [
			rowOf('viewer, 10,000 messages read', viewer, 120, { what: 'an idle `node`', value: node }),
			rowOf('host of a session', host, 90, { what: 'an idle `node`', value: node }),
			rowOf('embedded backend, 110,000 messages stored', residentMegabytes(pid), 300, {
				what: 'bare PGlite',
				value: database,
			}),
		]
	},
}

function rowOf(
	what: string,
	value: number,
	limit: number,
	floor: { what: string; value: number },
): Row {
	return {
		what: `memory of the ${what}`,
		value,
		unit: 'MB',
		floor: { ...floor, ratio: value / floor.value },
		goal: atMost(value, limit, `${limit} MB`),
		samples: 1,
		spread: null,
	}
}

/** Pages up through the whole session. */
async function viewerHavingRead({ profile }: Library): Promise<number> {
	await using screen = new Screen({ env: profile.env, columns: 90, rows: 40 })
	await screen.until(`of-${sizes.huge}`)
	screen.press(keys.home + keys.down)
	screen.press(keys.enter)
	await screen.until(`Last of ${sizes.large}.`)
	const begun = (text: string) => text.includes('start of the session')
	for (let page = 0; !begun(screen.text()); page++) {
		if (page > sizes.large) throw new Error(`no beginning:\n${screen.text()}`)
		const before = screen.text()
		screen.press(keys.pageUp)
		// Where more has to be loaded first, the key does nothing yet.
		await screen.changes(before, 300)
	}
	return residentMegabytes(screen.pid)
}

/** Of a bare Node that says when it is up. */
async function resident(args: readonly string[]): Promise<number> {
	const child: ChildProcess = spawn(process.execPath, args, {
		cwd: root,
		stdio: ['ignore', 'pipe', 'inherit'],
	})
	await new Promise((resolve) => child.stdout?.once('data', resolve))
	const megabytes = residentMegabytes(child.pid ?? 0)
	await endProcess(child)
	return megabytes
}
