/** What Ink does for every frame. */
import { readFile } from 'node:fs/promises'
import { replaced } from './replaced.js'

// Ink takes every row of a frame apart, however little of the screen has changed. What it found out about a
// row is kept from frame to frame: that is a third of what following a busy session costs.
export const inkKeepsRows = {
	name: 'ink-keeps-rows',
	setup({ onLoad }) {
		onLoad({ filter: /ink\/build\/output\.js$/ }, async ({ path: file }) => {
			const shared = replaced(
				await readFile(file, 'utf8'),
				/^ {4}caches = new OutputCaches\(\);$/m,
				'    caches = keptCaches();',
			)
			return {
				contents: `${shared}
				const most = 4000;
				let kept = new OutputCaches();
				function keptCaches() {
					const { widths, blockWidths, styledChars } = kept;
					if (widths.size + blockWidths.size + styledChars.size > most) kept = new OutputCaches();
					return kept;
				}`,
				loader: 'js',
			}
		})
		onLoad({ filter: /ink\/build\/sanitize-ansi\.js$/ }, async ({ path: file }) => ({
			contents: `${replaced(
				await readFile(file, 'utf8'),
				/^export default sanitizeAnsi;$/m,
				'export default keptSanitizeAnsi;',
			)}
			const most = 4000;
			const kept = new Map();
			function keptSanitizeAnsi(text) {
				const known = kept.get(text);
				if (known !== undefined) return known;
				if (kept.size > most) kept.clear();
				const result = sanitizeAnsi(text);
				kept.set(text, result);
				return result;
			}`,
			loader: 'js',
		}))
		// One move over all rows that stay as they are, in the place of one a row.
		onLoad({ filter: /ink\/build\/log-update\.js$/ }, async ({ path: file }) => ({
			contents: `${replaced(
				await readFile(file, 'utf8'),
				"stream.write(buffer.join(''));",
				'stream.write(joinMoves(buffer));',
			)}
			const moves = /(?:\\u001B\\[E){2,}/g;
			const joinMoves = (buffer) =>
				buffer.join('').replace(moves, (run) => '\\u001B[' + run.length / 3 + 'E');`,
			loader: 'js',
		}))
	},
}
