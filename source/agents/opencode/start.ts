/** Starts OpenCode: its server, then the session in it, then its interface or the first prompt. */
import { realpath } from 'node:fs/promises'
import * as v from 'valibot'
import { StyrbyError } from '../../protocol/errors.ts'
import type { RunningAgent, StartOptions } from '../agent.ts'
import { attachArguments, readArguments } from './arguments.ts'
import { agentsSchema, askingAgents, offeredAgents } from './modes.ts'
import { PluginFile } from './plugin.ts'
import { EventReader } from './reader.ts'
import { OpencodeServer } from './server.ts'
import { type Model, OpencodeSession } from './session.ts'

const modelSchema: v.GenericSchema<string, Model> = v.pipe(
	v.string(),
	v.regex(/^[^/]+\/.+$/),
	v.transform((name) => {
		const [providerID = '', ...model] = name.split('/')
		return { providerID, modelID: model.join('/') }
	}),
)
const healthSchema = v.object({ version: v.optional(v.nullable(v.string()), null) })

/**
 * Starts OpenCode: its own interface in this terminal, or none and a first prompt. Throws `agent_failed`
 * when it does not come up, `agent_arguments`, `agent_settings`.
 */
export async function startOpencode(path: string, options: StartOptions): Promise<RunningAgent> {
	const headless = options.headless !== undefined
	const given = readArguments(options.args, headless)
	const model = given.model === null ? null : modelOf(given.model)
	await using cleanup = new AsyncDisposableStack()
	// The server names folders by their real paths, and tells what happens in one of them.
	const cwd = await realpath(options.cwd)
	const plugin = cleanup.use(await PluginFile.write(!given.auto))
	const server = await OpencodeServer.start(path, {
		cwd,
		env: options.env,
		folder: plugin.folder,
		settings: {
			plugin: [plugin.url],
			...(given.model === null ? {} : { model: given.model }),
			...(given.agent === null ? {} : { default_agent: given.agent }),
		},
	})
	cleanup.defer(() => server.stop())
	const { version } = await server.read('/global/health', healthSchema)
	const agents = await server.read('/agent', agentsSchema)
	if (!(await plugin.loaded())) {
		throw new StyrbyError(
			'agent_failed',
			'OpenCode runs without plugins here, so nobody would be asked: unset OPENCODE_PURE.',
		)
	}
	const asking = askingAgents(agents)
	const session = new OpencodeSession(server, options, {
		model,
		variant: given.variant,
		stay: options.stay ?? false,
		modes: headless ? offeredAgents(agents, asking) : [],
		reader: new EventReader((agent) => asking.get(agent) ?? null),
		cleanup: cleanup.move(),
	})
	try {
		session.about(version)
		await session.listen()
		if (headless) await session.begin(given, options.headless ?? '')
		else await session.attach(path, attachArguments(server.url, cwd, given))
		return session
	} catch (error) {
		await session.stop()
		throw error
	}
}

function modelOf(name: string): Model {
	const model = v.safeParse(modelSchema, name)
	if (model.success) return model.output
	throw new StyrbyError(
		'agent_arguments',
		'OpenCode names a model as provider/model: `opencode models` lists them.',
	)
}
