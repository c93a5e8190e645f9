/** What to do about a backend that lacks our tables and functions, or has older ones. */
import { applyMigrationsFile } from '../server/package-files.ts'

/** The end of a sentence, with the line to run. */
export function migrationHelp(
	kind: 'embedded' | 'supabase',
	file: string = applyMigrationsFile(),
): string {
	if (kind === 'embedded') return 'install this version of styrby-tui on the machine that serves it'
	const quoted = /^[\w@%+=:,./-]+$/.test(file) ? file : `'${file.replaceAll("'", "'\\''")}'`
	return `apply what it lacks with: psql "$DATABASE_URL" -f ${quoted} (DATABASE_URL: the connection string of the role postgres)`
}
