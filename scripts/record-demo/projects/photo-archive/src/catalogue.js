import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** All photos below a folder, with their sizes in bytes. */
export function catalogue(folder) {
	return readdirSync(folder, { recursive: true })
		.filter((name) => name.endsWith('.jpg'))
		.map((name) => ({ name, bytes: statSync(join(folder, name)).size }))
		.sort((a, b) => a.name.localeCompare(b.name))
}
