import { bash, edit, read, write } from '../tools.js'

const shared = `/** What the carriers have in common. Each one says only how its own answer is read. */
export function parserOf({ carrier, statuses, numberOf, eventsOf }) {
	return (answer) => {
		const events = eventsOf(answer)
			.map(({ code, at, place }) => ({
				at: at.toISOString(),
				status: statuses[code] ?? 'unknown',
				place: place ?? null,
			}))
			.sort((a, b) => a.at.localeCompare(b.at))
		const delivered = events.some((event) => event.status === 'delivered')
		return { carrier, number: numberOf(answer), events, delivered }
	}
}
`

const swift = `import { parserOf } from './parser.js'

export const swift = parserOf({
	carrier: 'swift',
	statuses: { PU: 'collected', IT: 'moving', DL: 'delivered' },
	numberOf: (answer) => answer.id,
	eventsOf: (answer) =>
		answer.events.map(({ code, time, city }) => ({ code, at: new Date(time), place: city })),
})
`

const northpost = `import { parserOf } from './parser.js'

export const northpost = parserOf({
	carrier: 'northpost',
	statuses: { accepted: 'collected', transit: 'moving', done: 'delivered' },
	numberOf: (answer) => answer.parcel,
	eventsOf: (answer) =>
		answer.history.map(({ state, when, office }) => ({
			code: state,
			at: new Date(when * 1000),
			place: office,
		})),
})
`

export default {
	name: 'carrier-refactor',
	title: 'One parser for all carriers',
	project: 'parcel-tracker',
	branch: 'refactor/carriers',
	startedMinutesAgo: 238,
	allowed: ['Edit', 'Write', 'Bash(npm test)'],
	prompt:
		'The carrier parsers are copies of each other and we are about to add four more. Pull out what they share so that a carrier is only its own table and field names. No change in behaviour. And is legacy-status.js still used?',
	answers: [{ decision: 'allow', scope: 'once', waitedMs: 42_000 }],
	turns: [
		[
			{ text: 'First the parsers side by side, the tests, and whoever imports them.' },
			bash('grep -rnE "parseSwift|parseNorthpost|legacyStatus" --include=*.js .', 'Find all uses'),
			read('src/carriers/swift.js'),
			read('src/carriers/northpost.js'),
			read('src/carriers/index.js'),
			read('test/carriers.test.js'),
		],
		[
			{
				thinking:
					'Both: map events, translate a code with ifs, turn a time into ISO, sort, compute delivered. Different: field names, the unit of time, the code table. So a function that takes {carrier, statuses, numberOf, eventsOf} and returns the parser. index.js then becomes a table. Watch out: statuses as a plain object would find "constructor" as a code; the old ifs gave "unknown" there. Codes come from outside, so use a null prototype or Object.hasOwn. I will pin that with a test, since "no change in behaviour" was asked for.\n\nBaseline first.',
			},
			{
				text: 'The two differ in three things only: field names, unit of time, and the table of codes. A run of the tests before I touch anything:',
			},
			bash('npm test', 'Run the tests before the change'),
		],
		[
			{ text: 'Green. Now the shared part, then the two carriers on top of it.' },
			write('src/carriers/parser.js', shared),
			write('src/carriers/swift.js', swift),
			write('src/carriers/northpost.js', northpost),
			edit(
				'src/carriers/index.js',
				`import { parseNorthpost } from './northpost.js'
import { parseSwift } from './swift.js'

export function parse(carrier, answer) {
	if (carrier === 'swift') return parseSwift(answer)
	if (carrier === 'northpost') return parseNorthpost(answer)
	throw new Error(\`unknown carrier: \${carrier}\`)
}`,
				`import { northpost } from './northpost.js'
import { swift } from './swift.js'

const parsers = new Map([
	['northpost', northpost],
	['swift', swift],
])

export function parse(carrier, answer) {
	const parser = parsers.get(carrier)
	if (!parser) throw new Error(\`unknown carrier: \${carrier}\`)
	return parser(answer)
}`,
			),
			edit(
				'test/carriers.test.js',
				`test('refuses a carrier that it does not know', () => {`,
				`test('a code that is also a property of every object is unknown', () => {
	const answer = { id: 'SW2', events: [{ code: 'constructor', time: '2026-02-01T16:00:00Z' }] }
	assert.equal(parse('swift', answer).events[0].status, 'unknown')
})

test('refuses a carrier that it does not know', () => {`,
			),
		],
		[bash('npm test', 'Run the tests after the change')],
		[
			{
				text: 'The new test caught what I suspected: with a plain object as a table, a code named `constructor` finds something. The chain of ifs did not. Only own keys may count.',
			},
			edit(
				'src/carriers/parser.js',
				"				status: statuses[code] ?? 'unknown',",
				"				status: Object.hasOwn(statuses, code) ? statuses[code] : 'unknown',",
			),
			bash('npm test', 'Run the tests again'),
		],
		[
			{
				text: 'All four pass. `legacy-status.js` is imported nowhere, as the first search showed; you asked about it, so I would remove it in the same go.',
			},
			bash('git rm -q src/legacy-status.js && git status --short', 'Remove the unused file'),
		],
		[bash('git status --short && git diff --stat HEAD', 'Summarise the change')],
		[
			{
				text: `Done, behaviour unchanged, tests green before and after.

A carrier is now its table and its field names:

\`\`\`js
export const swift = parserOf({
	carrier: 'swift',
	statuses: { PU: 'collected', IT: 'moving', DL: 'delivered' },
	numberOf: (answer) => answer.id,
	eventsOf: (answer) => …
})
\`\`\`

- \`parser.js\` (new) has everything shared: times, order, \`delivered\`, unknown codes.
- \`index.js\` is a map; a fifth carrier is one line there.
- \`legacy-status.js\` was used by nobody and is gone.
- One new test: codes such as \`constructor\` stay *unknown*. My first version of the refactoring broke exactly that.`,
			},
		],
	],
}
