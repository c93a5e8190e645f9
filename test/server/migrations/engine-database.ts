/** The database of the migration tests, over either engine of the daemon, with typed values. */
import type { Engine, Statement } from '../../../source/server/engine.ts'
import type { Row, Step, TestDatabase } from './database.ts'

export function engineDatabase(engine: Engine): TestDatabase {
	return {
		async run(steps) {
			const statements = steps.map(inlined)
			const last = statements.at(-1)
			const typed = last !== undefined && /^\s*(select|with)\b|\breturning\b/i.test(last.sql)
			if (typed) {
				const sql = `with one_row as (${last.sql}) select to_json(one_row)::text as json from one_row`
				statements.splice(-1, 1, { sql })
			}
			const rows: readonly Row[] = (await engine.tx(statements)).at(-1) ?? []
			return typed ? rows.map((row) => JSON.parse(String(row.json)) as Row) : [...rows]
		},
		script: async (sql) => {
			await engine.tx([{ sql }])
		},
		[Symbol.asyncDispose]: () => engine.close(),
	}
}

/** A literal takes its type from where it stands, as an untyped parameter does. */
function inlined({ sql, params = [] }: Step): Statement {
	return { sql: sql.replaceAll(/\$(\d+)/g, (_, place) => literal(params[Number(place) - 1])) }
}

function literal(value: unknown): string {
	if (value === null || value === undefined) return 'null'
	return `'${String(value).replaceAll("'", "''")}'`
}
