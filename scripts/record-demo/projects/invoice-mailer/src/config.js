import { readFileSync } from 'node:fs'

export function loadConfig(path) {
	const config = JSON.parse(readFileSync(path, 'utf8'))
	if (!config.smtp) throw new Error('bad config')
	if (!config.smtp.host) throw new Error('bad config')
	if (typeof config.smtp.port !== 'number') throw new Error('bad config')
	if (!config.from?.includes('@')) throw new Error('bad config')
	if (config.retries === undefined) config.retries = 3
	return config
}
