import * as v from 'valibot'
import type { Engine } from './engine.ts'

/** A function of schema `public`, as far as calling it needs. */
export interface SqlFunction {
	readonly name: string
	readonly arguments: readonly { readonly name: string; readonly type: string }[]
	/** How many of the last arguments may be left out. */
	readonly defaults: number
	/** Returns rows rather than one value. */
	readonly set: boolean
	readonly returns: string
	/** Name of the only column of `returns table (…)`, which PostgreSQL would show as a bare value. */
	readonly onlyColumn: string | null
}

export interface FunctionCatalogue {
	/** The one function of that name which takes exactly these arguments, or null. */
	find(name: string, given: readonly string[]): SqlFunction | null
}

const argumentsSchema = v.array(
	v.object({ name: v.nullable(v.string()), type: v.string(), mode: v.string() }),
)

/** Reads what may be called. Whether the caller may call it is for PostgreSQL to say. */
export async function readFunctions(engine: Engine): Promise<FunctionCatalogue> {
	const rows = await engine.query(`
		select
			p.proname as name,
			p.proretset as set,
			p.pronargdefaults as defaults,
			pg_catalog.format_type(p.prorettype, null) as returns,
			(
				select coalesce(json_agg(json_build_object(
					'name', p.proargnames[a.n],
					'type', pg_catalog.format_type(a.type, null),
					'mode', coalesce(p.proargmodes[a.n]::text, 'i')
				) order by a.n), '[]')
				from unnest(coalesce(p.proallargtypes, p.proargtypes::oid[])) with ordinality as a (type, n)
			) as arguments
		from pg_catalog.pg_proc p
		where p.pronamespace = 'public'::regnamespace
			and p.prokind = 'f'
			and p.provariadic = 0
			and p.prorettype not in ('trigger'::regtype, 'event_trigger'::regtype)
		order by p.oid`)
	const byName = new Map<string, SqlFunction[]>()
	for (const row of rows) {
		const all = v.parse(argumentsSchema, JSON.parse(row.arguments ?? '[]'))
		const taken = all.filter((one) => one.mode === 'i' || one.mode === 'b')
		const given = all.filter((one) => one.mode === 't' || one.mode === 'o' || one.mode === 'b')
		const name = row.name ?? ''
		const one: SqlFunction = {
			name,
			arguments: taken.map((argument) => ({ name: argument.name ?? '', type: argument.type })),
			defaults: Number(row.defaults),
			set: row.set === 't',
			returns: row.returns ?? 'void',
			onlyColumn: given.length === 1 ? (given[0]?.name ?? null) : null,
		}
		byName.set(name, [...(byName.get(name) ?? []), one])
	}
	return {
		find(name, given) {
			const fitting = (byName.get(name) ?? []).filter((one) => takes(one, given))
			return fitting.length === 1 ? (fitting[0] ?? null) : null
		},
	}
}

function takes(one: SqlFunction, given: readonly string[]): boolean {
	const names = one.arguments.map((argument) => argument.name)
	const needed = names.slice(0, names.length - one.defaults)
	return given.every((name) => names.includes(name)) && needed.every((name) => given.includes(name))
}

/**
 * The statement that calls a function with the arguments of a JSON object, its parameter `$1`, and
 * gives one row: `body`, JSON text, and `count`, the number of rows. PostgreSQL converts each member
 * to its argument's type, as PostgREST has it.
 */
export function callStatement(one: SqlFunction, given: readonly string[]): string {
	const used = one.arguments.filter((argument) => given.includes(argument.name))
	const columns = used.map(({ name, type }) => `${identifier(name)} ${type}`).join(', ')
	const passed = used
		.map(({ name }) => `${identifier(name)} => args.${identifier(name)}`)
		.join(', ')
	const source =
		used.length === 0
			? `(select $1::text) as unused,`
			: `json_to_record($1::text::json) as args (${columns}),`
	const value =
		one.onlyColumn === null
			? 'to_json(result)'
			: `json_build_object('${one.onlyColumn.replaceAll("'", "''")}', result)`
	const call = `from ${source} lateral public.${identifier(one.name)}(${passed}) as result`
	if (one.set) return `select coalesce(json_agg(${value}), '[]')::text as body, count(*) ${call}`
	// An OUT argument gives an object; a plain result is the value itself.
	return `select ${value}::text as body, 1 as count ${call}`
}

function identifier(name: string): string {
	return `"${name.replaceAll('"', '""')}"`
}
