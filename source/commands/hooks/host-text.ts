import { version } from '../../config/version.ts'

/** In a few words, for `hooks list`, `status` and `doctor`. */
export function hostText(
	host: { pid: number | null; version: string | null } | null,
	installed: boolean,
): string {
	if (host === null) {
		return installed
			? 'not running: sessions are not published; the next command that can open the vault starts it'
			: 'not running (nothing is installed)'
	}
	if (host.pid === null) return 'starting'
	const other = host.version === version ? '' : `, version ${host.version}`
	return `running (process ${host.pid}${other})`
}
