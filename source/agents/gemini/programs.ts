import { forEachChild, parse, type SyntaxNode } from 'unbash'

/** Of a command made of nothing else it is certain which programs Gemini CLI finds in it. */
const plain: ReadonlySet<string> = new Set([
	'Script',
	'Statement',
	'CompoundList',
	'AndOr',
	'Pipeline',
	'Command',
	'Word',
	'Literal',
	'SingleQuoted',
	'DoubleQuoted',
])
const shells: ReadonlySet<string> = new Set(['sh', 'bash', 'zsh', 'cmd.exe', 'powershell', 'pwsh'])
const longest = 2000

/**
 * The programs that "allow for this session" would hold for, with whatever arguments: Gemini CLI allows each
 * program of the command. Empty where the command is not plain enough to be certain of them.
 */
export function commandPrograms(command: string): string[] {
	if (command.length > longest) return []
	const programs = new Set<string>()
	return collect(parse(command), programs) ? [...programs] : []
}

function collect(node: SyntaxNode, programs: Set<string>): boolean {
	if (!plain.has(node.type)) return false
	if (node.type === 'Script' && node.errors && node.errors.length > 0) return false
	if (node.type === 'Command') {
		const name = node.name?.text ?? ''
		if (!/^[A-Za-z][\w.+-]*$/.test(name) || shells.has(name)) return false
		programs.add(name)
	}
	let certain = true
	forEachChild(node, (child) => {
		certain = certain && collect(child, programs)
	})
	return certain
}
