import { StyrbyError } from '../../protocol/errors.ts'

/** One thing that this program needs; what `--json` prints of it is a shape that scripts depend on. */
export interface Check {
	id: string
	/** `warn`: it works, but not as well or as safely as it should. */
	state: 'ok' | 'warn' | 'fail'
	detail: string
	/** What to do, `null` where there is nothing to do. */
	mend: string | null
}

export const ok = (id: string, detail: string): Check => ({ id, state: 'ok', detail, mend: null })
export const warn = (id: string, detail: string, mend: string): Check => ({
	id,
	state: 'warn',
	detail,
	mend,
})
export const fail = (id: string, detail: string, mend: string): Check => ({
	id,
	state: 'fail',
	detail,
	mend,
})

/** The check, or what kept it from being made: an error's sentence says what is wrong and what to do. */
export async function checking(id: string, work: () => Promise<Check> | Check): Promise<Check> {
	try {
		return await work()
	} catch (error) {
		if (!(error instanceof StyrbyError)) throw error
		const [what, ...rest] = error.message.split(/: (?=[a-z])/)
		const mend = rest.join(': ')
		return fail(id, what ?? error.code, mend === '' ? error.message : capital(mend))
	}
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1)

/** Such as `12.3 MB`. */
export function sizeText(bytes: number): string {
	const units = ['bytes', 'KB', 'MB', 'GB', 'TB']
	let value = bytes
	let unit = 0
	while (value >= 1000 && unit < units.length - 1) {
		value /= 1000
		unit++
	}
	return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`
}
