/** The machine: Node, the disk, the terminal. */
import { existsSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { isOlder } from '../../server/versions.ts'
import { type Io, isInteractive } from '../io.ts'
import { type Check, fail, ok, sizeText, warn } from './check.ts'

const neededNode = '22.13.0'
const leastFree = { fail: 20e6, warn: 500e6 }
/** Types of file systems that another machine serves: NFS, SMB, CIFS. */
const networked = new Set([0x6969, 0x517b, 0xfe534d42, 0xff534d42])

export function checkNode(version = process.versions.node): Check {
	return isOlder(version, neededNode)
		? fail('node', `${version}, too old`, `Install Node ${neededNode} or later.`)
		: ok('node', `${version} (${process.execPath})`)
}

export async function checkDisk(folder: string): Promise<Check> {
	const place = existing(folder)
	const { bavail, bsize, type, ffree, files } = await statfs(place)
	const free = bavail * bsize
	const detail = `${sizeText(free)} free at ${place}`
	if (free < leastFree.fail || (files > 0 && ffree === 0)) {
		return fail('disk', detail, 'Free some space: nothing can be kept until there is.')
	}
	if (networked.has(type)) {
		const mend = 'Set STYRBY_HOME to a folder of this machine: locks are not safe over a network.'
		return warn('disk', `${detail}, on a network file system`, mend)
	}
	if (free < leastFree.warn) return warn('disk', detail, 'Free some space before it is full.')
	return ok('disk', detail)
}

/** The folder, or the nearest one above it that is there. */
export function existing(folder: string): string {
	let place = folder
	while (!existsSync(place) && dirname(place) !== place) place = dirname(place)
	return place
}

const smallest = { columns: 80, rows: 24 }

export function checkTerminal(io: Io): Check {
	const { stdout, env, platform } = io
	if (!isInteractive(io)) return ok('terminal', 'none here: nothing is asked, lists are plain text')
	const { columns, rows } = stdout
	const depth = env.NO_COLOR ? 1 : stdout.getColorDepth(env)
	const colours = depth === 1 ? 'no colours' : `${2 ** depth} colours`
	const unicode = platform === 'win32' || /utf-?8/i.test(locale(env))
	const detail = `${env.TERM ?? 'unknown'}, ${columns}×${rows}, ${colours}`
	if (env.TERM === 'dumb') {
		return warn('terminal', detail, 'Set TERM to what your terminal is, such as xterm-256color.')
	}
	if (!unicode) {
		const mend = 'Choose a UTF-8 locale, such as with: export LC_ALL=C.UTF-8'
		return warn('terminal', `${detail}, the locale is not UTF-8`, mend)
	}
	if (columns < smallest.columns || rows < smallest.rows) {
		const mend = `Enlarge it: the viewer needs ${smallest.columns}×${smallest.rows} to show a request whole.`
		return warn('terminal', detail, mend)
	}
	return ok('terminal', `${detail}, Unicode`)
}

const locale = ({ LC_ALL, LC_CTYPE, LANG }: NodeJS.ProcessEnv) => LC_ALL || LC_CTYPE || LANG || ''
