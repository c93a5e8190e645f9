/** The package as it would be published, installed into an empty folder. */
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import * as v from 'valibot'
import { afterAll, beforeAll, expect, test } from 'vitest'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))
const manifest = v.object({
	name: v.string(),
	version: v.string(),
	scripts: v.optional(v.record(v.string(), v.string()), {}),
})

let folder: string
let program: string

beforeAll(async () => {
	folder = await mkdtemp(join(tmpdir(), 'styrby-package-'))
	const packed = await run('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: root })
	const tarball = join(folder, packed.stdout.trim().split('\n').at(-1) ?? '')
	await run('npm', ['install', '--prefix', folder, '--no-audit', '--no-fund', tarball])
	program = join(folder, 'node_modules/styrby-tui/bin/styrby-tui.js')
})

afterAll(() => rm(folder, { recursive: true, force: true }))

/** Every installed package's manifest. */
async function installed(): Promise<v.InferOutput<typeof manifest>[]> {
	const files = await readdir(join(folder, 'node_modules'), { recursive: true })
	const manifests = files.filter((file) =>
		/^(?:@[^/]+\/)?[^/]+(?:\/node_modules\/(?:@[^/]+\/)?[^/]+)*\/package\.json$/.test(file),
	)
	return Promise.all(
		manifests.map(async (file) =>
			v.parse(manifest, JSON.parse(await readFile(join(folder, 'node_modules', file), 'utf8'))),
		),
	)
}

test('it brings at most 60 packages and 80 MB, and runs nothing when it is installed', async () => {
	const packages = await installed()
	const { stdout } = await run('du', ['-sm', join(folder, 'node_modules')])
	expect(packages.length).toBeGreaterThan(1)
	expect(packages.length).toBeLessThanOrEqual(60)
	expect(Number.parseInt(stdout, 10)).toBeLessThanOrEqual(80)
	for (const { name, scripts } of packages) {
		const hooks = Object.keys(scripts).filter((script) =>
			/^(?:pre|post)?install$|^prepare$/.test(script),
		)
		expect([name, hooks]).toEqual([name, []])
	}
})

test('it says its version, its help, and plays its demo to the end', async () => {
	const { version } = v.parse(
		manifest,
		JSON.parse(await readFile(join(root, 'package.json'), 'utf8')),
	)
	const env = { ...process.env, STYRBY_HOME: join(folder, 'home') }
	const start = (...args: string[]) =>
		run(process.execPath, [program, ...args], { env, cwd: folder, maxBuffer: 2 ** 24 })
	expect((await start('--version')).stdout.trim()).toBe(version)
	expect((await start('--help')).stdout).toContain('styrby-tui [command] [options]')
	const demo = await start('demo')
	expect(demo.stdout).toMatch(/\d+ messages decrypted and verified, 0 problems/)
	expect(demo.stdout).toMatch(/[2-9] permission requests answered/)
})

test('it carries the script that applies the migrations, and all that this names', async () => {
	const script = join(await realpath(dirname(program)), '../dist/apply-migrations.sql')
	const text = await readFile(script, 'utf8')
	const named = [...text.matchAll(/^\\ir (.*)$/gm)].map(([, file = '']) => file)
	const ours = await readdir(join(root, 'supabase/migrations'))
	expect(named).toHaveLength(ours.length)
	for (const file of named) {
		const installed = await readFile(join(dirname(script), file), 'utf8')
		expect(installed).toBe(await readFile(join(root, 'dist', file), 'utf8'))
	}
})

test('it carries the licences of all that is bundled', async () => {
	const licences = join(dirname(program), '../dist/third-party-licenses.txt')
	const text = await readFile(licences, 'utf8')
	for (const name of ['ink', 'react', '@supabase/supabase-js', 'hono', 'jose']) {
		expect(text).toMatch(new RegExp(`^${name.replace('/', '\\/')} \\d`, 'm'))
	}
})
