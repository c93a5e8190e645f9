import { read, write } from '../tools.js'

const csv = `/** Rows as CSV (RFC 4180): a field with a comma, a quote or a line break is quoted. */
export function toCsv(rows) {
	const field = (value) => {
		const text = String(value)
		return /[",\\r\\n]/.test(text) ? \`"\${text.replaceAll('"', '""')}"\` : text
	}
	return rows.map((row) => \`\${row.map(field).join(',')}\\r\\n\`).join('')
}
`

export default {
	name: 'csv-export',
	title: 'CSV export for the monthly report',
	project: 'expense-report',
	branch: 'csv-export',
	startedMinutesAgo: 96,
	allowed: ['Edit', 'Write'],
	prompt: 'Add --csv to the report command. Quote fields properly and add tests.',
	answers: [],
	turns: [
		[
			{ text: 'Let me see the command and what it prints today.' },
			read('src/cli.js'),
			read('src/report.js'),
		],
		[
			{
				text: 'The report is two columns, so the CSV part can be a function of its own that knows nothing of expenses. I start there; the tests and the flag come next.',
			},
			write('src/csv.js', csv),
		],
		[{ error: { status: 529, type: 'overloaded_error', message: 'Overloaded' } }],
	],
}
