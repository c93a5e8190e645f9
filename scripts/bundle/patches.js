/** All that the bundle changes in packages; docs/architecture.md says what and why. */
import { inkKeepsRows } from './ink-frames.js'
import { knownEnvironment, leanSignalExit, noErrorOverview, plainBuiltins } from './ink-packages.js'
import {
	jsoncModules,
	meowWithoutPackages,
	noDevtools,
	yogaWithoutFetch,
} from './loaded-packages.js'
import { lazyMarked, lazySegmenters, oneStringWidth } from './text-packages.js'

const all = [
	yogaWithoutFetch,
	noDevtools,
	plainBuiltins,
	noErrorOverview,
	leanSignalExit,
	knownEnvironment,
	meowWithoutPackages,
	oneStringWidth,
	inkKeepsRows,
	lazySegmenters,
	lazyMarked,
	jsoncModules,
]

/**
 * `plugins` for one build, and `assertAllUsed` for its end: throws where a file or module that is to be changed was
 * not there. Its package is then another than the change was written for.
 */
export function packagePatches() {
	const unused = new Set()
	const plugins = all.map(({ name, setup }) => {
		const noting = (on) => (options, change) => {
			const patch = `${name} (${options.filter})`
			unused.add(patch)
			on(options, async (file) => {
				const changed = await change(file)
				if (changed) unused.delete(patch)
				return changed
			})
		}
		const noted = ({ onResolve, onLoad }) =>
			setup({ onResolve: noting(onResolve), onLoad: noting(onLoad) })
		return { name, setup: noted }
	})
	return {
		plugins,
		assertAllUsed() {
			if (unused.size === 0) return
			throw new Error(`the build no longer fits a package: nothing for ${[...unused].join(', ')}`)
		},
	}
}
