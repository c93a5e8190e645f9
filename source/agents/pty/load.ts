/** The pseudo-terminal's native part: a package of its own a platform, there only where npm installed it. */
import { StyrbyError } from '../../protocol/errors.ts'

export type Pty = typeof import('@lydell/node-pty')

/** One of its terminals, whose bytes are left as they are. */
export interface RawPty {
	readonly pid: number
	/** Our end of it, where the system has such a thing. */
	readonly fd?: number
	onData(listener: (data: unknown) => void): unknown
	onExit(listener: (end: { exitCode: number; signal?: number | undefined }) => void): unknown
	write(data: string | Uint8Array): void
	resize(columns: number, rows: number): void
	pause(): void
	resume(): void
	kill(signal?: string): void
}

/** Loads it. Throws `pty_missing` where there is none for this platform, or npm left it out. */
export async function loadPty(load: () => Promise<Pty> = importPty): Promise<Pty> {
	try {
		return await load()
	} catch (cause) {
		throw new StyrbyError(
			'pty_missing',
			`This agent needs a pseudo-terminal, and its part for ${process.platform}-${process.arch} is not installed: install styrby-tui again without --omit=optional.`,
			{ cause },
		)
	}
}

async function importPty(): Promise<Pty> {
	return import('@lydell/node-pty')
}
