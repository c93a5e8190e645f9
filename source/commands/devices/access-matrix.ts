/** Sessions down, devices across: how many of a session's keys each device was given. */
import type { Access } from '../../account/access.ts'
import type { DeviceInfo } from '../../account/devices.ts'
import { padText, textWidth, truncateText } from '../../text/width.ts'
import { hanging } from '../hanging.ts'
import { isWrong, scopeName } from './access-lines.ts'
import { called } from './find-device.ts'

type Column = Pick<DeviceInfo, 'id' | 'name' | 'own' | 'state'>

const widest = 16
const narrowest = 6

/** The keys of one scope, as they come: those of a scope come together. */
interface Row {
	scope: string
	session: string | null
	newest: number
	/** Epochs that each device was given. */
	epochs: Map<string, Set<number>>
	wrong: number
}

export class Matrix {
	readonly #columns: readonly Column[]
	readonly #titles: readonly string[]
	readonly #width: number
	/** Where the columns do not fit, each line names the devices itself. */
	readonly #listed: boolean

	/** `width`: columns of the terminal. */
	constructor(devices: readonly Column[], width: number) {
		this.#columns = devices
		this.#titles = devices.map((device) => {
			const mark = device.own ? '*' : device.state === 'revoked' ? '✗' : ''
			return mark + truncateText(called(device.name, device.id), widest)
		})
		this.#width = width
		this.#listed = this.#sizes().reduce((sum, size) => sum + size + 2, 10) > width
	}

	/** Prints at most `limit` rows, each as soon as it is complete. Returns how many keys are wrong. */
	async print(
		grants: AsyncIterable<Access>,
		limit: number,
		write: (text: string) => Promise<void>,
	): Promise<number> {
		let row: Row | null = null
		let printed = 0
		let wrong = 0
		await write(this.#head())
		const flush = async (done: Row) => {
			await write(this.#line(done))
			wrong += done.wrong
			printed++
		}
		for await (const access of grants) {
			if (row && row.scope !== access.scope) {
				await flush(row)
				row = null
				if (printed >= limit) return wrong
			}
			row ??= {
				scope: access.scope,
				session: access.session,
				newest: access.newest,
				epochs: new Map(),
				wrong: 0,
			}
			const epochs = row.epochs.get(access.device) ?? new Set()
			row.epochs.set(access.device, epochs.add(access.epoch))
			if (isWrong(access)) row.wrong++
		}
		if (row) await flush(row)
		return wrong
	}

	#sizes(): number[] {
		return this.#titles.map((title) => Math.max(narrowest, textWidth(title)))
	}

	#head(): string {
		const legend =
			'Keys that each device was given, by what the server says: all of a session, some of them, or none (–). * is this device, ✗ a revoked one.'
		const about = hanging('', legend, this.#width, textWidth)
		const titles = this.#listed ? [] : [this.#cells('  session ', this.#titles)]
		return `${[...about, '', ...titles].join('\n')}\n`
	}

	#line(row: Row): string {
		const name = (row.wrong > 0 ? '✗ ' : '  ') + scopeName(row)
		const cells = this.#columns.map(({ id }) => cellOf(row, id))
		const strangers = [...row.epochs.keys()].filter(
			(id) => !this.#columns.some((column) => column.id === id),
		)
		const extra = strangers.map((id) => `${id.slice(0, 8)} NOT IN THE DEVICE LOG`)
		if (!this.#listed) return `${[this.#cells(name, cells), ...extra].join('  ')}\n`
		const pairs = cells.map((cell, index) => `${this.#titles[index]} ${cell}`)
		return `${hanging(`${name}  `, [...pairs, ...extra].join(', '), this.#width, textWidth).join('\n')}\n`
	}

	#cells(name: string, cells: readonly string[]): string {
		const sizes = this.#sizes()
		const padded = cells.map((cell, index) => padText(cell, sizes[index] ?? 0))
		return [name, ...padded].join('  ').trimEnd()
	}
}

function cellOf({ epochs, newest }: Row, device: string): string {
	const given = epochs.get(device)?.size ?? 0
	if (given === 0) return '–'
	return given > newest ? 'all' : `${given}/${newest + 1}`
}
