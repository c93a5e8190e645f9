import { BareChannel } from '../harness/bare.ts'
import type { Benchmark } from '../harness/benchmark.ts'
import { median, spread } from '../harness/statistics.ts'

/** Rows of one floor sample, and how many go in one call, as the import sends them. */
const rows = 5000
const batch = 500
/** Ciphertext of a message of the imported transcript, bytes, in the middle. */
const rowBytes = 528

/** The whole command: read, sealed, chained, signed, stored with synced commits. */
export const importing: Benchmark = {
	name: 'import',
	summary: "bringing an agent's history in",
	async run({ library }) {
		const { imported, profile } = await library()
		await using bare = await BareChannel.open(await profile.backend())
		const floors: number[] = []
		for (let round = 0; round < 5; round++) {
			floors.push((rows * 1000) / (await bare.fill(rows, batch, rowBytes)))
		}
		const value = (imported.messages * 1000) / imported.ms
		return [
			{
				what: `import of ${imported.messages.toLocaleString('en')} messages (${Math.round(imported.bytes / 1e6)} MB)`,
				value,
				unit: 'per s',
				floor: {
					what: 'bare appends of unsealed rows',
					value: median(floors),
					ratio: value / median(floors),
				},
				goal: null,
				samples: 1,
				spread: spread(floors),
			},
		]
	},
}
