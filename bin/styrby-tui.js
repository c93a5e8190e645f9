#!/usr/bin/env node
// Launcher: checks Node, turns on the compile cache, loads the bundle. Nothing else.
import module from 'node:module'

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
const bundle = new URL('../dist/cli.js', import.meta.url)

if (major < 22 || (major === 22 && minor < 13)) {
	process.stderr.write(
		`styrby-tui needs Node 22.13 or later, and this is ${process.versions.node}: install a newer Node and run it again.\n`,
	)
	process.exitCode = 1
} else {
	module.enableCompileCache?.()
	try {
		await import(bundle.href)
	} catch (error) {
		// Asked afterwards: to look for the file first would load a good part of Node at each start.
		if (error?.code !== 'ERR_MODULE_NOT_FOUND' || error.url !== bundle.href) throw error
		process.stderr.write('styrby-tui is not built yet: run "npm run build" once.\n')
		process.exitCode = 1
	}
}
