import { StyrbyError } from '../protocol/errors.ts'
import { ArchiveFile } from '../viewer/archive.ts'
import type { Place } from './context.ts'

/**
 * What is archived of an account on this machine. Nothing is hidden where the file can't be read: changing
 * it then says why.
 */
export async function archiveOf({ home, log }: Place, account: string): Promise<ArchiveFile> {
	const archive = new ArchiveFile({ data: home.data, run: home.run, account })
	try {
		await archive.load()
	} catch (error) {
		if (!(error instanceof StyrbyError)) throw error
		log.write('archive.failed', { code: error.code })
	}
	return archive
}
