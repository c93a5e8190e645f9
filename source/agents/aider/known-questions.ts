/** Aider's questions whose meaning is known. */
export interface Known {
	pattern: RegExp
	tool: string
	/** What the subject above the question is, where it has one. */
	subject: 'command' | 'path' | 'url' | null
}

/** Questions whose meaning is known. All others are handed on as questions, in Aider's own words. */
const known: readonly Known[] = [
	{ pattern: /^Run shell commands?\?$/, tool: 'shell', subject: 'command' },
	{ pattern: /^Create new file\?$/, tool: 'edit', subject: 'path' },
	{
		pattern: /^Allow edits to file that has not been added to the chat\?$/,
		tool: 'edit',
		subject: 'path',
	},
	{ pattern: /^Edit the files\?$/, tool: 'edit', subject: null },
	{ pattern: /^Add file to the chat\?$/, tool: 'add-file', subject: 'path' },
	{ pattern: /^Add URL to the chat\?$/, tool: 'add-url', subject: 'url' },
	{
		// Output of the command that ends without a line's end stands before it.
		pattern: /(?:^|[^ ])Add (?:[\d.]+k tokens of )?command output to the chat\?$/,
		tool: 'add-output',
		subject: null,
	},
	{ pattern: /^Attempt to fix (?:lint|test) errors\?$/, tool: 'fix-errors', subject: null },
]

export function knownQuestion(question: string): Known | null {
	return known.find(({ pattern }) => pattern.test(question)) ?? null
}

export function isKnownQuestion(question: string): boolean {
	return knownQuestion(question) !== null
}

/** Whether what a question is about stands above it; `line` is the question with its choices. */
export function hasSubject(line: string): boolean {
	const question = line.slice(0, line.indexOf(' (Y)es/'))
	return known.some(({ pattern, subject }) => subject !== null && pattern.test(question))
}
