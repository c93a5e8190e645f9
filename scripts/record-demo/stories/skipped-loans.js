import { bash, edit, read } from '../tools.js'

const newTest = `test('paging shows every loan once, also when several have the same time', () => {
	const all = [loan(1, '01'), loan(2, '05'), loan(3, '05'), loan(4, '05'), loan(5, '09')]
	const seen = []
	let cursor = null
	do {
		const page = pageOfLoans(all, { limit: 2, cursor })
		seen.push(...page.loans.map((each) => each.id))
		cursor = page.next
	} while (cursor !== null)
	assert.deepEqual(seen, [1, 2, 3, 4, 5])
})
`

export default {
	name: 'skipped-loans',
	title: 'Page two of /loans skips entries',
	project: 'shelfmark-api',
	branch: 'fix/skipped-loans',
	startedMinutesAgo: 524,
	allowed: ['Edit', 'Write'],
	prompt:
		'Librarians report that page two of /loans sometimes skips entries. Find out why, write a test that fails because of it, then fix it.',
	answers: [{ decision: 'allow', scope: 'session', waitedMs: 74_000 }],
	turns: [
		[
			{
				thinking:
					'Skipped entries between pages usually come from a cursor that is not unique. I want to see how the cursor is made and how the next page is cut before I guess.',
			},
			{ text: "I'll look at how a page is cut and what its cursor contains." },
			bash('grep -rn "cursor" src test', 'Find everything that touches cursors'),
			read('src/loans.js'),
			read('src/cursor.js'),
			read('test/loans.test.js'),
		],
		[
			{
				thinking:
					'The sort is by (borrowedAt, id) but the cursor keeps only borrowedAt, and the filter uses a strict >. So all loans that share the time of the last one on the page are dropped. A self-service desk that scans a stack of books gives them all the same time, hence "sometimes".',
			},
			{
				text: `Found it. The list is sorted by **time, then id**, but the cursor keeps only the **time**:

\`\`\`js
rest = sorted.filter((loan) => loan.borrowedAt > after.borrowedAt)
\`\`\`

When a page ends in the middle of several loans with the same time (a stack of books scanned at once), all the others with that time are skipped. No test has two equal times, so nothing caught it. First a test that fails because of it.`,
			},
			edit(
				'test/loans.test.js',
				`test('the last page has no next cursor', () => {`,
				`${newTest}
test('the last page has no next cursor', () => {`,
			),
		],
		[bash('npm test', 'Run the tests and see the new one fail')],
		[
			{
				text: 'It fails for the reason I expected: loans 3 and 4 are never shown. Now the cursor has to carry both sort keys, and the filter has to compare both in the same order as the sort.',
			},
			edit(
				'src/cursor.js',
				`	return Buffer.from(loan.borrowedAt).toString('base64url')`,
				`	return Buffer.from(\`\${loan.borrowedAt} \${loan.id}\`).toString('base64url')`,
			),
			edit(
				'src/cursor.js',
				`	return { borrowedAt: Buffer.from(cursor, 'base64url').toString() }`,
				`	const [borrowedAt, id] = Buffer.from(cursor, 'base64url').toString().split(' ')
	// Cursors that were handed out before they carried an id show a loan twice rather than skip it.
	return { borrowedAt, id: id === undefined ? -1 : Number(id) }`,
			),
			edit(
				'src/loans.js',
				'	const rest = after === null ? sorted : sorted.filter((loan) => loan.borrowedAt > after.borrowedAt)',
				'	const rest = after === null ? sorted : sorted.filter((loan) => byTimeThenId(loan, after) > 0)',
			),
		],
		[bash('npm test', 'Run all tests again')],
		[bash('git diff --stat', 'See what changed')],
		[
			{
				text: `Fixed, and all three tests pass.

**Cause.** The cursor held the time of the last loan only, and the next page began at the first *later* time, so loans with the same time fell between two pages.

**Change**
- \`src/cursor.js\`: a cursor is now time **and** id. Old cursors that clients still hold keep working: they may show a loan twice, but skip none.
- \`src/loans.js\`: the next page starts after \`(time, id)\`, compared with the same function that sorts, so the two can't drift apart again.
- \`test/loans.test.js\`: walks through all pages with three equal times and expects each loan exactly once.

I did not commit; the change is in your working tree on \`fix/skipped-loans\`.`,
			},
		],
	],
}
