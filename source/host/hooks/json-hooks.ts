/**
 * Hooks in the JSON settings of an agent: `{"hooks": {"<event>": [{"matcher", "hooks": [{"type", "command",
 * "timeout"}]}]}}`. The text is edited where something changes, and nowhere else: comments, order and
 * formatting of everything that is not ours stay.
 */
import jsonc, { type JSONPath, type Node } from 'jsonc-parser'
import type { InstalledHook } from '../../agents/hooked.ts'
import { addLast, removeChild } from './json-edit.ts'

/** A hook as it is to stand in the file. */
export interface WantedHook extends Omit<InstalledHook, 'kind'> {
	command: string
}

export interface FoundHook {
	event: string
	command: string
	timeout: number | null
}

/** What is wrong with a file, as the end of a sentence; it is left as it is. */
export class UnusableSettings extends Error {}

const parsing = { allowTrailingComma: true, disallowComments: false }

/** Our hooks that stand in the file. Throws `UnusableSettings`. */
export function findHooks(text: string, isOurs: (command: string) => boolean): FoundHook[] {
	return ourNodes(parseSettings(text), isOurs).map(({ event, item }) => ({
		event,
		command: String(memberOf(item, 'command')),
		timeout: numberOf(memberOf(item, 'timeout')),
	}))
}

/**
 * The text with exactly `wanted` of ours in it; the same text where that is so already. Throws
 * `UnusableSettings`.
 */
export function addHooks(
	text: string,
	wanted: readonly WantedHook[],
	isOurs: (command: string) => boolean,
): string {
	if (isInstalled(text, wanted, isOurs)) return text
	let next = removeHooks(text, isOurs, text)
	for (const { matcher, ...hook } of wanted) {
		const group = { ...(matcher === undefined ? {} : { matcher }), hooks: [entryOf(hook)] }
		const root = parseSettings(next)
		const hooks = jsonc.findNodeAtLocation(root, ['hooks'])
		const list = hooks && jsonc.findNodeAtLocation(hooks, [hook.event])
		if (list) next = addLast(next, list, group)
		else if (hooks) next = addLast(next, hooks, [group], hook.event)
		else next = addLast(next, root, { [hook.event]: [group] }, 'hooks')
	}
	if (!isInstalled(next, wanted, isOurs)) {
		throw new UnusableSettings('has a form in which hooks can not be put')
	}
	return next
}

/** Whether exactly these of ours stand in the file. Throws `UnusableSettings`. */
export function isInstalled(
	text: string,
	wanted: readonly WantedHook[],
	isOurs: (command: string) => boolean,
): boolean {
	const asLine = (value: unknown) => JSON.stringify(value)
	const found = ourNodes(parseSettings(text), isOurs).map(({ event, group, item }) =>
		asLine([event, memberOf(group, 'matcher') ?? null, jsonc.getNodeValue(item)]),
	)
	const expected = wanted.map((hook) => asLine([hook.event, hook.matcher ?? null, entryOf(hook)]))
	return found.sort().join('\n') === expected.sort().join('\n')
}

/**
 * The text without ours. Lists that are empty then go too, unless `before` (what the file was before ours
 * came) had them. Throws `UnusableSettings`.
 */
export function removeHooks(
	text: string,
	isOurs: (command: string) => boolean,
	before: string,
): string {
	let next = text
	const kept = before === '' ? undefined : parseSettings(before)
	const had = (path: JSONPath) =>
		kept !== undefined && jsonc.findNodeAtLocation(kept, path) !== undefined
	// One at a time, since each removal moves the others.
	for (;;) {
		const root = parseSettings(next)
		const [found] = ourNodes(root, isOurs)
		if (found === undefined) return next
		const { event, list, groupIndex, group, items, index } = found
		const alone = items.length === 1 && !Object.keys(jsonc.getNodeValue(group)).some(isForeignKey)
		const inner = jsonc.findNodeAtLocation(group, ['hooks'])
		if (alone || inner === undefined) next = removeChild(next, list, groupIndex)
		else next = removeChild(next, inner, index)
		for (const path of [['hooks', event], ['hooks']]) {
			const tree = parseSettings(next)
			const node = jsonc.findNodeAtLocation(tree, path)
			const property = node?.parent
			const container = property?.parent
			if (node?.children?.length !== 0 || had(path) || !property || !container) continue
			next = removeChild(next, container, container.children?.indexOf(property) ?? -1)
		}
	}
}

const isForeignKey = (key: string) => key !== 'matcher' && key !== 'hooks'

function entryOf({ command, timeout, more }: Omit<WantedHook, 'matcher'>) {
	return { type: 'command', command, timeout, ...more }
}

interface OurNode {
	event: string
	list: Node
	groupIndex: number
	group: Node
	index: number
	item: Node
	/** All hooks of the group, ours and others'. */
	items: readonly Node[]
}

function ourNodes(root: Node, isOurs: (command: string) => boolean): OurNode[] {
	const events = jsonc.findNodeAtLocation(root, ['hooks'])
	const found: OurNode[] = []
	for (const property of events?.children ?? []) {
		const [name, list] = property.children ?? []
		if (list === undefined) continue
		const event = String(name?.value)
		for (const [groupIndex, group] of (list.children ?? []).entries()) {
			const items = childrenOf(group, 'hooks')
			for (const [index, item] of items.entries()) {
				const command = memberOf(item, 'command')
				if (typeof command !== 'string' || !isOurs(command)) continue
				found.push({ event, list, groupIndex, group, index, item, items })
			}
		}
	}
	return found
}

/** Throws `UnusableSettings` for what is no JSON, or where hooks are of another form than we know. */
function parseSettings(text: string): Node {
	const errors: jsonc.ParseError[] = []
	const root = jsonc.parseTree(text, errors, parsing)
	const [error] = errors
	if (root === undefined || error) {
		const { line, column } = placeOf(text, error?.offset ?? 0)
		throw new UnusableSettings(`is not JSON (line ${line}, column ${column})`)
	}
	if (root.type !== 'object') throw new UnusableSettings('is not a JSON object')
	assertUnique(root, 'hooks')
	const hooks = jsonc.findNodeAtLocation(root, ['hooks'])
	if (hooks === undefined) return root
	if (hooks.type !== 'object') throw new UnusableSettings('has "hooks" that are not an object')
	for (const property of hooks.children ?? []) {
		const [name, list] = property.children ?? []
		assertUnique(hooks, String(name?.value))
		if (list?.type !== 'array') {
			throw new UnusableSettings(`has hooks for "${name?.value}" that are not a list`)
		}
	}
	return root
}

/** Of a key that stands twice, agents take the last one and editors the first. */
function assertUnique(node: Node, key: string): void {
	const same = (node.children ?? []).filter(({ children }) => children?.[0]?.value === key)
	if (same.length > 1) throw new UnusableSettings(`has the key "${key}" twice`)
}

function childrenOf(node: Node, key: string): readonly Node[] {
	if (node.type !== 'object') return []
	const child = jsonc.findNodeAtLocation(node, [key])
	return child?.type === 'array' ? (child.children ?? []) : []
}

function memberOf(node: Node, key: string): unknown {
	if (node.type !== 'object') return undefined
	const child = jsonc.findNodeAtLocation(node, [key])
	return child && jsonc.getNodeValue(child)
}

const numberOf = (value: unknown) => (typeof value === 'number' ? value : null)

function placeOf(text: string, offset: number): { line: number; column: number } {
	const lines = text.slice(0, offset).split('\n')
	return { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 }
}
