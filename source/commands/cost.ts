/** `cost`: what was spent, by day, agent, project or model. */
import { type ExitCode, exit, refused, StyrbyError } from '../protocol/errors.ts'
import { jsonText } from '../text/json-text.ts'
import { costCsv } from '../viewer/cost-csv.ts'
import { CostReader } from '../viewer/cost-reader.ts'
import { type Dimension, dimensions, grouped, total } from '../viewer/cost-table.ts'
import type { Invocation } from './command.ts'
import { openContext } from './context.ts'
import { type CostReport, costJson, costReport } from './cost/print.ts'
import { costSince } from './cost/since.ts'
import { Progress } from './progress.ts'

const defaultSince = '30d'

/** Exit code 4 when something does not verify: that is not counted. */
export async function run({ flags, io }: Invocation): Promise<ExitCode> {
	const by = dimensionsOf(flags.text('by') ?? 'day')
	if (flags.has('json') && flags.has('csv')) {
		throw new StyrbyError('bad_usage', 'Give --json or --csv, not both.', { exitCode: exit.usage })
	}
	const since = costSince(flags.text('since') ?? defaultSince, io.now())
	await using context = await openContext(io)
	const reader = new CostReader(context.account, since ?? undefined)
	{
		using progress = new Progress(io, 'reading what was spent')
		while (await reader.page()) {
			progress.show(`${reader.rows} replies, back to ${reader.reached?.slice(0, 10)}`)
		}
	}
	const wanted = {
		agent: flags.text('agent'),
		project: flags.text('project'),
		model: flags.text('model'),
	}
	const spent = reader.table.spent.filter(
		(one) =>
			(wanted.agent === undefined || one.agent === wanted.agent) &&
			(wanted.project === undefined || one.project === wanted.project) &&
			(wanted.model === undefined || one.model === wanted.model),
	)
	const report: CostReport = {
		since: since === null ? null : new Date(since).toISOString(),
		timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
		by,
		groups: grouped(spent, by),
		total: total(spent),
		problems: reader.problems,
	}
	if (flags.has('json')) io.stdout.write(`${jsonText(costJson(report))}\n`)
	else if (flags.has('csv')) io.stdout.write(costCsv(by, report.groups))
	else io.stdout.write(costReport(report, { width: io.stdout.columns ?? 100, now: io.now() }))
	if (reader.problems > 0) {
		const count = reader.problems === 1 ? '1 reply was' : `${reader.problems} replies were`
		throw refused(
			'cost_not_verified',
			`${count} not counted, as the first shows: ${reader.problem}.`,
		)
	}
	return exit.done
}

/** `day`, or several: `day,model`. Throws `bad_value`. */
function dimensionsOf(text: string): Dimension[] {
	const by = text.split(',').map((name) => {
		const found = dimensions.find((dimension) => dimension === name.trim())
		if (found) return found
		throw new StyrbyError(
			'bad_value',
			`--by takes ${dimensions.join(', ')}, or several of them with commas between.`,
			{ exitCode: exit.usage },
		)
	})
	return [...new Set(by)]
}
