/** Every column of every table that a server answers with, and every way to change it. */

export type Row = Record<string, unknown>

export interface Target {
	rpc: string
	/** Which rows of the answer: the answer itself, or the elements of one of its members. */
	name: string
	many: boolean
	rows(answer: unknown): Row[] | null
	/** The answer with other rows. */
	put(answer: unknown, rows: Row[]): unknown
}

const isRow = (value: unknown): value is Row =>
	typeof value === 'object' && value !== null && !Array.isArray(value)

const listed = (rpc: string): Target => ({
	rpc,
	name: rpc,
	many: true,
	rows: (answer) => (Array.isArray(answer) ? answer.filter(isRow) : null),
	put: (_, rows) => rows,
})
const member = (rpc: string, name: string): Target => ({
	rpc,
	name: `${rpc}.${name}`,
	many: true,
	rows: (answer) => {
		const rows = isRow(answer) ? answer[name] : null
		return Array.isArray(rows) ? rows.filter(isRow) : null
	},
	put: (answer, rows) => ({ ...(answer as Row), [name]: rows }),
})
const single = (rpc: string): Target => ({
	rpc,
	name: rpc,
	many: false,
	rows: (answer) => (isRow(answer) ? [answer] : null),
	put: (_, rows) => rows[0] ?? null,
})

export const targets: readonly Target[] = [
	listed('read_log'),
	listed('list_machine_keys'),
	listed('list_sessions'),
	single('read_session'),
	member('read_messages', 'rows'),
	member('read_keys', 'epochs'),
	member('read_keys', 'grants'),
	listed('list_requests'),
	single('read_request'),
]

export interface Change {
	name: string
	/** `null`: these rows can not be changed like this. */
	of(rows: readonly Row[]): Row[] | null
}

/** Another value of the same form. */
function other(value: unknown): unknown {
	if (value === null) return null
	if (typeof value === 'number') return value + 1
	if (typeof value === 'boolean') return !value
	if (isRow(value)) {
		return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, other(one)]))
	}
	if (typeof value !== 'string') return value
	if (/^\d{4}-\d\d-\d\dT/.test(value)) {
		return new Date(Date.parse(value) + 3_600_000).toISOString()
	}
	if (/^[0-9a-f]{8}-/.test(value)) return value.replace(/.$/, (last) => (last === '0' ? '1' : '0'))
	if (/^(?:account|session):/.test(value)) {
		return value.replace(/.$/, (last) => (last === '0' ? '1' : '0'))
	}
	if (value.length > 30) {
		const bytes = Buffer.from(value, 'base64')
		const at = Math.floor(bytes.length / 2)
		bytes[at] = (bytes[at] ?? 0) ^ 1
		return bytes.toString('base64')
	}
	const words: Record<string, string> = {
		pending: 'approved',
		running: 'stopped',
		stopped: 'running',
		idle: 'stopped',
		claude: 'codex',
		device: 'recovery',
	}
	return words[value] ?? `${value}x`
}

const replaced = (rows: readonly Row[], at: number, row: Row) =>
	rows.map((one, index) => (index === at ? row : one))

/** All changes of these columns, and of the rows as a whole. */
export function changesOf(columns: readonly string[], many: boolean): Change[] {
	const flips = columns.flatMap((column): Change[] => [
		{
			name: `${column}: other`,
			of(rows) {
				const at = rows.findLastIndex((row) => row[column] !== null && row[column] !== undefined)
				const row = rows[at]
				return row ? replaced(rows, at, { ...row, [column]: other(row[column]) }) : null
			},
		},
		{
			name: `${column}: of another row`,
			of(rows) {
				const last = rows.at(-1)
				const from = rows.find(
					(row) => JSON.stringify(row[column]) !== JSON.stringify(last?.[column]),
				)
				if (!last || !from) return null
				return replaced(rows, rows.length - 1, { ...last, [column]: from[column] })
			},
		},
	])
	const whole: Change[] = [
		{ name: 'none', of: (rows) => (rows.length > 0 ? [] : null) },
		{ name: 'the first dropped', of: (rows) => (rows.length > 1 ? rows.slice(1) : null) },
		{
			name: 'one dropped',
			of: (rows) => (rows.length > 2 ? rows.filter((_, at) => at !== rows.length >> 1) : null),
		},
		{ name: 'the last dropped', of: (rows) => (rows.length > 1 ? rows.slice(0, -1) : null) },
		{
			name: 'the last repeated',
			of: (rows) => (rows.length > 0 ? [...rows, ...rows.slice(-1)] : null),
		},
		{ name: 'all repeated', of: (rows) => (rows.length > 0 ? [...rows, ...rows] : null) },
		{ name: 'backwards', of: (rows) => (rows.length > 1 ? [...rows].reverse() : null) },
		{
			name: 'the last is the one before',
			of: (rows) => (rows.length > 1 ? replaced(rows, rows.length - 1, rows.at(-2) ?? {}) : null),
		},
	]
	return many ? [...flips, ...whole] : flips
}
