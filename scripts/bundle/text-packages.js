/** Packages that measure and read text, made to cost nothing before they are used: the first frame waits for them. */
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { replaced } from './replaced.js'

const modules = fileURLToPath(new URL('../../node_modules', import.meta.url))

/**
 * Characters besides ASCII that take one column wherever they stand, and never join with what is beside them: those
 * that frames and signs are made of.
 */
const plain =
	'\\x20-\\x7e\\xa1-\\xac\\xae-\\u02ff\\u2010-\\u2027\\u2030-\\u205e\\u2190-\\u21ff\\u23ce\\u2500-\\u25fc\\u26a0\\u270e-\\u2727\\u2800-\\u28ff'

const newSegmenter = /^const (\w+) = new Intl\.Segmenter\(.*\);$/m

const lazyRegex = `
const lazyRegex = (make) => {
	let made;
	const regex = () => (made ??= make());
	return {
		test: (text) => regex().test(text),
		exec: (text) => regex().exec(text),
		[Symbol.search]: (text) => regex()[Symbol.search](text),
	};
};
`

// Such characters, ends of lines, and what begins a sequence of colours, are each a grapheme of their own.
const lazySegmenter = (name) => `
let madeSegmenter;
const notSingle = /[^\\n\\x1b${plain}]/;
const ${name} = {
	segment(text) {
		if (notSingle.test(text)) return (madeSegmenter ??= new Intl.Segmenter()).segment(text);
		const at = (index) => ({ segment: text[index], index, input: text });
		return {
			*[Symbol.iterator]() {
				for (let index = 0; index < text.length; index++) yield at(index);
			},
			containing: (index) => (index in Object(text) ? at(index) : undefined),
		};
	},
};
`

// Ink's parts come with copies of string-width of their own, each of which makes V8 put the sets of characters
// together when it is loaded (40 ms for all emoji alone). One copy for all, so that all agree on widths; and the
// sets when the first character comes that they are needed for.
export const oneStringWidth = {
	name: 'one-string-width',
	setup({ onResolve, onLoad }) {
		const only = path.join(modules, 'string-width/index.js')
		onResolve({ filter: /^string-width$/ }, () => ({ path: only }))
		onLoad({ filter: /node_modules\/string-width\/index\.js$/ }, async ({ path: file }) => {
			let text = await readFile(file, 'utf8')
			for (const name of [
				'prependedConcatenationMarksRegex',
				'visibleCharacterRegex',
				'emojiPrefixRegex',
				'textPresentationEmojiRegex',
				'emojiZwjSequenceRegex',
			]) {
				const made = new RegExp(`^const ${name} = (.+);$`, 'm')
				text = replaced(text, made, `const ${name} = lazyRegex(() => $1);`)
			}
			text = replaced(text, newSegmenter, (_, name) => lazySegmenter(name))
			text = replaced(
				text,
				/\treturn nonAsciiOrControlRegex\.test\(string\) \?/,
				`\tif (ambiguousIsNarrow && !notPlain.test(string)) return string.length;\n$&`,
			)
			return { contents: `${lazyRegex}const notPlain = /[^${plain}]/;\n${text}` }
		})
	},
}

// They take text apart by themselves, with a segmenter each.
export const lazySegmenters = {
	name: 'lazy-segmenters',
	setup({ onLoad }) {
		for (const filter of [
			/wrap-ansi\/index\.js$/,
			/slice-ansi\/tokenize-ansi\.js$/,
			/ansi-tokenize\/build\/tokenize\.js$/,
			/ink\/build\/line-update\.js$/,
		]) {
			onLoad({ filter }, async ({ path: file }) => ({
				contents: replaced(await readFile(file, 'utf8'), newSegmenter, (_, name) =>
					lazySegmenter(name),
				),
			}))
		}
	},
}

// marked puts its grammar together when it is loaded. Here when the first text is read.
export const lazyMarked = {
	name: 'lazy-marked',
	setup({ onResolve, onLoad }) {
		onResolve({ filter: /^marked$/ }, ({ namespace }) =>
			namespace === 'lazy' ? undefined : { path: 'marked', namespace: 'lazy' },
		)
		onLoad({ filter: /^marked$/, namespace: 'lazy' }, () => ({
			contents: `
				export class Marked {
					constructor(...options) {
						let made;
						const marked = () => (made ??= new (require('marked').Marked)(...options));
						this.lexer = (...given) => marked().lexer(...given);
					}
				}
			`,
			resolveDir: path.dirname(modules),
		}))
	},
}
